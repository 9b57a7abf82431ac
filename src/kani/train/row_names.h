// row_names.h - the tokenizer of a model whose embedding has grown: names for the added rows.
// Source: training.md 7.2, 14.8.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "kani/spec/lfm2.h"
#include "kani/train/language_tokens.h"

namespace kani::train {

/// `folder`/tokenizer.json with a name for each id that it has none for up to the last of `tokens`,
/// or up to the last row: the tokens', upstream's <custom_token_0> … for control and audio ids,
/// <unused_ID> for the others.
/// Empty where it is to be copied as it is: no such file, or nothing to name.  Throws
/// Error(kBadInput, kInvalidArgument) as with_token_names().
std::string named_tokenizer(const std::filesystem::path& folder, const Lfm2Config& model,
                            std::span<const LanguageToken> tokens, bool all_rows);

}  // namespace kani::train
