// torch_optimizer.h - optimizer.pt: what torch.save keeps of an optimizer of Adam's family.
//   {"state": {0: {"step": …, "exp_avg": …, "exp_avg_sq": …}, …},
//    "param_groups": [{"lr": …, "params": [0, 1, …]}, …]}
// Source: training.md 9.  Not here: which parameter a number means (train/).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

/// What is kept of one parameter.  The tensors point into the file.
struct SavedMoments {
  int64_t steps = 0;         // updates done
  TensorInfo first, second;  // F32, F16 or BF16, of one shape
};

struct SavedGroup {
  size_t parameters = 0;                   // how many
  std::map<std::string, double> settings;  // those that are numbers: lr, initial_lr, eps, …
};

struct TorchOptimizer {
  /// Parameters are numbered from 0 through all groups, one group after the other.
  std::vector<SavedGroup> groups;
  std::map<int64_t, SavedMoments> state;  // a parameter that was never updated has none
};

/// `bytes` must outlive the result.  Throws Error(kBadInput, "<where>: …") for whatever is not
/// exactly this, amsgrad's third moment included.  Nothing but names and numbers is allocated.
TorchOptimizer parse_torch_optimizer(std::span<const std::byte> bytes, const std::string& where);

}  // namespace kani
