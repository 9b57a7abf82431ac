// tokenizer_file.h - tokenizer.json as it stands: its lists and the few features that are
// understood, everything else refused.  Source: language-model.md 3; hostile inputs:
// reliability.md 6.  Not here: whether the lists make sense together (tokenizer.cc builds the
// tables and checks that).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/tokens/split.h"

namespace kani {

/// What is accepted at most.
inline constexpr size_t kMaxTokenizerBytes = size_t{64} << 20;
inline constexpr int32_t kMaxTokenIds = 1 << 19;  // ids 0 to 524,287
inline constexpr size_t kMaxMerges = 1 << 20;
inline constexpr size_t kMaxTokenBytes =
    2048;  // one entry of the vocabulary, as written in the file
inline constexpr size_t kMaxAddedTokenBytes = 256;

struct TokenizerFile {
  struct Text {  // a part of `texts`
    uint32_t offset = 0;
    uint32_t length = 0;
  };
  struct Entry {
    Text text;  // in the symbols of the byte alphabet
    int32_t id = 0;
  };
  struct Merge {
    Text left, right;
  };
  struct Added {
    std::string content;
    int32_t id = 0;
    bool normalized = false;
  };
  struct Template {
    std::vector<int32_t> before, after;
  };

  std::string texts;
  std::vector<Entry> vocabulary;
  std::vector<Merge> merges;
  std::vector<Added> added;
  bool ignore_merges = false;
  SplitRule split = SplitRule::kLlama3;
  std::optional<Template> single;

  std::string_view text(Text part) const {
    return std::string_view(texts).substr(part.offset, part.length);
  }
};

/// Throws Error(kBadInput) naming the field.
TokenizerFile read_tokenizer_file(std::string_view json, std::string_view source);

/// The three things in tokenizer_config.json that can matter.
struct TokenizerConfig {
  bool add_bos_token = false;
  std::string bos_token;
  std::string tokenizer_class;
};
TokenizerConfig read_tokenizer_config(std::string_view json, std::string_view source);

}  // namespace kani
