// listening_samples.h - a few clips of a finished set as sound again, decoded from their codes:
// what the model will learn to say, to be heard by somebody.  Source: training.md 15.12.
#pragma once

#include <filesystem>
#include <vector>

#include "kani/base/cancel.h"
#include "kani/base/json.h"
#include "kani/dataset/clip_maker.h"

namespace kani {

/// Writes report/sample-1.wav, … below `folder`; returns a list of what they are: file, text,
/// speaker, audio, seconds.  Empty, with a warning in the log, for a codec without a decoder.
/// Throws Error(kCancelled, kCannotWrite).
Json write_samples(const ClipRules& rules, const std::vector<TrainingClip>& clips,
                   const std::filesystem::path& folder, const CancelToken* cancel);

}  // namespace kani
