// analysis.h - what a checkpoint has learnt, in every figure that upstream's tools give.
// Source: training.md 10.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/train/config.h"

namespace kani::train {

struct Analysis {
  std::string json;            // every figure by its name
  std::string interpretation;  // lines for a person: upstream's words for the main ones
};

/// Losses and figures over all clips of `places`; what needs a pass of its own over the first 64.
/// Throws Error(kNotFound, kBadInput).
Analysis analyze_checkpoint(const std::filesystem::path& checkpoint,
                            const std::vector<std::string>& places, const TrainConfig& config);

}  // namespace kani::train
