// language_tokens.h - languages whose tag is one added token: its id, its row, and the clips whose
// tag was written in pieces.  Source: training.md 14.8.
// Not here: files (model_files.h), the tokenizer's names (row_names.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/train/lfm2_module.h"

namespace kani::train {

struct LanguageToken {
  std::string language;  // as clips have it
  std::string token;     // "<|ky|>"
  int32_t id = 0;
  std::vector<int32_t> pieces;  // ids of the tag as plain text: what the token takes the place of
};

/// The two halves of an entry of add_languages, NAME or NAME=TOKEN; TOKEN may be empty.  Throws
/// Error(kInvalidArgument) for what are no tags.
std::pair<std::string, std::string> language_entry(const std::string& entry);

/// The tokens that `model` has and those that `entries` add.  A new one gets the first text id that
/// neither the tokenizer nor another token has; if there is none, an id behind the audio ids, for
/// which the vocabulary must grow.  Throws Error(kNotFound, kBadInput, kInvalidArgument) where the
/// folder has no tokenizer, or one that knows the token as something else.
std::vector<LanguageToken> language_tokens(const std::vector<std::string>& entries,
                                           const std::filesystem::path& folder,
                                           const Lfm2Config& model);

/// Puts the tokens that `config` does not have into it.  Their rows, in the embedding and in a head
/// of its own, become the mean of the rows of their pieces.
void add_language_tokens(const std::vector<LanguageToken>& tokens, Lfm2Config& config,
                         ParameterMap& parameters);

/// A clip's text with its language's token where the pieces of its tag were; what begins otherwise
/// stays.
void put_language_token(const std::vector<LanguageToken>& tokens, TrainingClip& clip);

}  // namespace kani::train
