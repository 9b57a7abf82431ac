// tokenizer_features.h - the small, nested parts of tokenizer.json: which of their features are
// understood. Internal to the reading of that file; pulls in the JSON library.
#pragma once

#include <string_view>

#include "kani/base/json.h"
#include "kani/tokens/tokenizer_file.h"

namespace kani {

/// Checks the document (without its long lists, which the reader took out) and fills split,
/// ignore_merges and single. Throws Error(kBadInput) for everything that would change ids in a way
/// that is not understood.
void read_features(const Json& document, std::string_view source, TokenizerFile& out);

}  // namespace kani
