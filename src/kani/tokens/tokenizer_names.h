// tokenizer_names.h - tokenizer.json with names for more ids, for models whose embedding has grown.
// Source: training.md 7.2 (upstream's names), 14.8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kani {

/// An added token to be.
struct TokenName {
  int32_t id = 0;
  std::string content;
};

/// `json` with `names` behind its added_tokens, as upstream adds tokens; all else stays as it is,
/// byte for byte.  Other programs give added tokens the ids that come next, whatever the file says:
/// `names` must begin at the first id that is free and leave none out.  Throws Error(kBadInput) for
/// a file that read_tokenizer_file() refuses, Error(kInvalidArgument) for ids that are not those
/// and contents that are empty, too long or named already.
std::string with_token_names(std::string_view json, std::string_view source,
                             std::span<const TokenName> names);

}  // namespace kani
