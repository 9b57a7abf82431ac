// model_parts.h - where codec, tokenizer and speaker encoder lie in a model folder.
// Not here: the hub's cache (engine/model_files.h); data is made with what is named.
#pragma once

#include <filesystem>
#include <optional>

#include "kani/dataset/clip_maker.h"

namespace kani {

struct ModelNames {
  std::filesystem::path model;    // a set (lm/, codec.nemo, speaker/) or a folder with config.json
  std::filesystem::path codec{};  // a .nemo file; empty = the one in the folder
  std::filesystem::path speaker_encoder{};  // a folder; empty = speaker/ of the folder
  bool voices = true;                       // false: clips get no voice
};

/// Throws Error(kNotFound) with a hint that names the flag.
ModelParts find_model_parts(const ModelNames& names);

}  // namespace kani
