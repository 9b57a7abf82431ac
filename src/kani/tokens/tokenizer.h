// tokenizer.h - text to ids as LFM2's tokenizer.json says: added tokens, split rule, byte-level BPE, template.
// Source: language-model.md 3.  Any feature of tokenizer.json outside that list is refused, never approximated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Whether text may name added tokens such as <|im_end|> (parity with upstream) or is always plain text (safe).
enum class AddedTokens { kMatch, kPlainText };

/// Immutable and thread-safe after load.
class Tokenizer {
 public:
  /// `folder` holds tokenizer.json and, optionally, tokenizer_config.json.  Throws Error(kNotFound, kBadInput).
  static Tokenizer load(const std::filesystem::path& folder);
  /// The same from the two files' text (the second may be empty).
  static Tokenizer parse(std::string_view tokenizer_json, std::string_view tokenizer_config_json,
                         std::string_view source);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids with the template's BOS in front.  Invalid UTF-8 is replaced by U+FFFD by the maximal-subpart rule.
  std::vector<int32_t> encode(std::string_view text, AddedTokens added = AddedTokens::kMatch) const;

  /// Number of entries, added tokens included (largest id + 1).
  int size() const;

 private:
  struct Tables;
  explicit Tokenizer(std::unique_ptr<Tables> tables);
  std::unique_ptr<Tables> tables_;
};

}  // namespace kani
