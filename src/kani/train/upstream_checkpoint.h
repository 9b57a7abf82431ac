// upstream_checkpoint.h - what upstream's trainer keeps beside the weights: moments (optimizer.pt)
// and where its run was (trainer_state.json).  Its schedule needs no file: it follows from the
// update's number.  Source: training.md 8.4, 9.
// Not here: the weights (start.h), upstream's order of clips, which nobody can repeat (12.3).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kani/train/optimizer.h"

namespace kani::train {

struct UpstreamProgress {
  int64_t update = 0;     // updates done
  double epoch = 0;       // passes over its data
  int64_t max_steps = 0;  // updates in all; 0: not said
};

/// Throws Error(kNotFound, kBadInput).
UpstreamProgress read_upstream_progress(const std::filesystem::path& folder);

/// Names of a model's parameters as upstream's optimizer numbers them, by group: all but the RoPE
/// factors in the order of its modules, then the RoPE factors.  One group where there are none.
std::vector<std::vector<std::string>> upstream_parameters(const Lfm2Config& config,
                                                          const ParameterMap& parameters);
/// Two groups of one, in its order: what weight decay is for, then biases and norms.  So the
/// trainer of transformers has it, which upstream takes as it is for models without RoPE factors.
std::vector<std::vector<std::string>> decayed_first(const std::vector<std::string>& names);

/// Copies moments and counts of the parameters that `optimizer` keeps.  What upstream never updated
/// begins at 0, with a warning; so are rates that differ from `optimizer`'s told.  Throws
/// Error(kNotFound, kBadInput) for files that are no such state or that of another model.
void load_upstream_moments(const std::filesystem::path& folder, const Lfm2Config& config,
                           const ParameterMap& parameters, AdamW& optimizer);

}  // namespace kani::train
