// weight_average.h - an exponential average of the trained weights, shared among the processes:
// each keeps it of those parameters whose moments it owns (optimizer.h).  Source: training.md 14.7.
#pragma once

#include "kani/train/optimizer.h"

namespace kani::train {

class WeightAverage {
 public:
  /// Starts as the weights are.  All must outlive it; `comm` is the optimizer's, null if alone.
  WeightAverage(const ParameterMap& parameters, const AdamW& optimizer, Comm* comm, double decay);

  /// After an update: A = d A + (1 - d) W, or A = W where `follows`, as while rates still rise.
  void update(bool follows);
  /// This process's share, what a checkpoint of it has; sharing the tensors.
  const ParameterMap& owned() const { return owned_; }
  /// Reads the share out of all the files of a checkpoint that hold averages, however many
  /// processes wrote them; if there is none it starts from the weights.  Throws Error(kBadInput)
  /// for what is missing in them or has another shape.
  void restore(const std::filesystem::path& folder);
  /// Of all trained parameters; all processes must call.
  ParameterMap whole() const;

 private:
  const ParameterMap& parameters_;
  const AdamW& optimizer_;
  Comm* comm_;
  double decay_;
  ParameterMap owned_;
};

/// Name of the file that holds the share of process `rank` of `size`.
std::string average_file(int rank, int size);

}  // namespace kani::train
