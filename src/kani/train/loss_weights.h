// loss_weights.h - how much the target of each element counts, by what it is: text, a control
// token, a code of some codebook.  Source: training.md 14.3.
#pragma once

#include <map>
#include <string>

#include "kani/tokens/layout.h"
#include "kani/train/sequence.h"
#include "kani/train/torch.h"

namespace kani::train {

/// Kinds "text" (with its first and last token), "control", "codebook_0", …, with their weights;
/// the others count 1.
class LossWeights {
 public:
  /// Throws Error(kInvalidArgument) for a kind that the layout does not have, and if all are 0.
  LossWeights(const std::map<std::string, double>& by_kind, const TokenLayout& layout);

  bool on() const { return on_; }
  double of(int64_t target) const;
  /// [N] float32, 0 without a target.
  at::Tensor of(const std::vector<int64_t>& targets) const;
  /// Of all targets.
  double sum(const std::vector<int64_t>& targets) const;

 private:
  TokenLayout layout_;
  bool on_;
  double text_ = 1, control_ = 1;
  std::vector<double> codebooks_;
};

}  // namespace kani::train
