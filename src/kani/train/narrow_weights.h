// narrow_weights.h - weights kept in bf16 for want of memory (key weight_dtype): which they are,
// and how an update is rounded into them.  Half of the updates of a late training are smaller than
// half a step of bf16 and would be lost by rounding to the nearest; rounding by chance keeps them
// in the mean.  Source: training.md 14.4.
#pragma once

#include <cstdint>
#include <string_view>

#include "kani/train/parameters.h"

namespace kani::train {

/// Whether a parameter is one that is kept so: the matrices of the layers, the rows of the ids, the
/// head, the voice projection.  Adapters, norms, taps and RoPE factors are small and stay float32.
bool may_be_narrow(std::string_view name, const at::Tensor& parameter);

/// Rounds those to bf16 where they stand.  Their gradients are float32 as before.
void narrow_weights(ParameterMap& parameters);
inline bool is_narrow(const at::Tensor& parameter) {
  return parameter.scalar_type() == at::kBFloat16;
}

/// x (float32) in bf16, each number to one of its two neighbours, with a chance that makes the mean
/// x; what bf16 can hold stays as it is.  Which one follows from `key` and the place alone, on
/// every device.
at::Tensor rounded_by_chance(const at::Tensor& x, uint64_t key);
/// The same by LibTorch's operations, as on GPUs.
at::Tensor rounded_by_chance_anywhere(const at::Tensor& x, uint64_t key);

/// w in float32 with a gradient that is not rounded to w's type on its way.
at::Tensor widened(const at::Tensor& w);
/// Rows `ids` [N] of a table, in float32, the same way.
at::Tensor widened_rows(const at::Tensor& table, const at::Tensor& ids);

}  // namespace kani::train
