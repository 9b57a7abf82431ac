// added_tokens.h - finds added tokens ("<|im_end|>") in text: leftmost match, the longest of those
// that start there. Source: language-model.md 3.1 step 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// A sorted list that a search narrows byte by byte: does what a tree of bytes does, in a fraction
/// of its memory. Immutable and thread-safe.
class AddedTokenMatcher {
 public:
  struct Token {
    std::string_view content;  // not empty
    int32_t id;
  };
  struct Match {
    size_t begin;
    size_t length;
    int32_t id;
  };

  AddedTokenMatcher() = default;
  /// No content may occur twice; contents are copied.
  explicit AddedTokenMatcher(std::vector<Token> tokens);

  /// The first match at or behind `from`.
  std::optional<Match> find(std::string_view text, size_t from) const noexcept;

 private:
  struct Entry {
    uint32_t offset;  // in contents_
    uint32_t length;
    int32_t id;
  };
  unsigned char byte(const Entry& entry, size_t i) const {
    return static_cast<unsigned char>(contents_[entry.offset + i]);
  }
  std::optional<Match> longest_at(std::string_view text, size_t begin) const noexcept;

  std::string contents_;
  std::vector<Entry> entries_;         // sorted by content
  std::array<bool, 256> may_start_{};  // first bytes that occur
};

}  // namespace kani
