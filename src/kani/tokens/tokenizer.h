// tokenizer.h - text to ids as LFM2's tokenizer.json says: added tokens, split rule, byte-level
// BPE, template. Source: language-model.md 3.  Any feature of tokenizer.json outside that list is
// refused, never approximated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Longest text that encode() takes.
inline constexpr size_t kMaxTextBytes = size_t{256} << 20;

/// Whether text may name added tokens such as <|im_end|> (parity with upstream) or is always plain
/// text (safe).
enum class AddedTokens { kMatch, kPlainText };

struct TokenizerTables;

/// Immutable and thread-safe after load.
class Tokenizer {
 public:
  /// `folder` holds tokenizer.json and, optionally, tokenizer_config.json.  Throws Error(kNotFound,
  /// kBadInput).
  static Tokenizer load(const std::filesystem::path& folder);
  /// The same from the two files' text (the second may be empty).
  static Tokenizer parse(std::string_view tokenizer_json, std::string_view tokenizer_config_json,
                         std::string_view source);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids with the template's BOS in front.  Invalid UTF-8 is replaced by U+FFFD by the
  /// maximal-subpart rule. Time grows with n log n at worst.  Throws Error(kInvalidArgument) for a
  /// text above kMaxTextBytes.
  std::vector<int32_t> encode(std::string_view text, AddedTokens added = AddedTokens::kMatch) const;

  /// Number of entries, added tokens included (largest id + 1).
  int size() const;
  /// Plain text becomes ids below this (largest id of the vocabulary without the added tokens + 1).
  int vocabulary_size() const;
  /// The bytes that an id stands for: text in UTF-8 or a part of it, the content of an added token.
  /// Empty for an id that has no text or is out of range.  Valid as long as the tokenizer lives.
  std::string_view bytes(int32_t id) const;

 private:
  explicit Tokenizer(std::unique_ptr<const TokenizerTables> tables);
  std::unique_ptr<const TokenizerTables> tables_;
};

}  // namespace kani
