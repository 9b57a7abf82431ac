// device_update.h - the update of optimizer.h on a GPU: all parameters in one start of a kernel.
#pragma once

#include <vector>

#include "kani/train/cuda/kernels.h"
#include "kani/train/torch.h"

namespace kani::train::device {

/// A parameter and what belongs to it; float32, contiguous, on one device.
struct UpdateRow {
  at::Tensor parameter, gradient, first, second;
  at::Tensor steps;  // a number, counted up already
  at::Tensor copy;   // bf16, becomes the new parameter rounded; may be undefined
  int group = 0;     // 0 or 1: which rate and decay
};

/// Rates, decays and the rest of `rules`; its table is made here.
void adamw(const cuda::Kernels& kernels, const std::vector<UpdateRow>& rows, cuda::Adamw rules);
/// The norm of all gradients, added up in double in a fixed order; 0 of none.
double gradient_norm(const cuda::Kernels& kernels, const std::vector<at::Tensor>& gradients);

}  // namespace kani::train::device
