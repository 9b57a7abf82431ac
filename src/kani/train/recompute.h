// recompute.h - a part of the network whose inner results are not kept for the backward pass but
// computed again there (activation checkpointing; Chen et al. 2016): memory for time.
// The gradients are those of the part itself, bit for bit, if the part is a function of its inputs
// alone; what is random in it must come from a key (dropout() in ops.h).
#pragma once

#include <functional>
#include <vector>

#include "kani/train/torch.h"

namespace kani::train {

using Part = std::function<at::Tensor(const at::Tensor&)>;

/// part(x); of its graph only x is kept.  `parameters`: all that the part uses beside x and that
/// may want gradients; these are leaves.  What the part refers to must live until the backward
/// pass.
at::Tensor recomputed(const Part& part, const at::Tensor& x,
                      const std::vector<at::Tensor>& parameters);

}  // namespace kani::train
