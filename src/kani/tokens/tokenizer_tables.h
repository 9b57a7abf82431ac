// tokenizer_tables.h - what a tokenizer keeps in memory, made from the lists of tokenizer.json.
// Source: language-model.md 3; hostile inputs: reliability.md 6.  Internal to tokens/.
#pragma once

#include <string_view>
#include <vector>

#include "kani/tokens/added_tokens.h"
#include "kani/tokens/bpe.h"
#include "kani/tokens/split.h"
#include "kani/tokens/tokenizer_file.h"

namespace kani {

/// Immutable and thread-safe once built.
struct TokenizerTables {
  Bpe bpe;
  SplitRule split = SplitRule::kLlama3;
  AddedTokenMatcher raw;               // "normalized" false: looked for first, in the whole text
  AddedTokenMatcher normalized;        // looked for in what is left between them
  std::vector<int32_t> before, after;  // the template's ids
  int vocabulary_size = 0;             // largest id of the vocabulary + 1, added tokens not counted
};

/// Checks that the lists make sense together.  Throws Error(kBadInput) naming list, place and rule.
TokenizerTables build_tables(const TokenizerFile& file, const TokenizerConfig& config,
                             std::string_view source);

}  // namespace kani
