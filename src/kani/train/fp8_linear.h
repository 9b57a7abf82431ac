// fp8_linear.h - x w^T with factors in 8 bits, an experiment for GPUs that multiply these (Hopper
// and later): e4m3 for inputs and weights, e5m2 for gradients, one scale for each tensor, by its
// largest number at the time.  Source: training.md 14.4; Micikevicius et al. 2022.
#pragma once

#include "kani/train/torch.h"

namespace kani::train {

/// A tensor in 8 bits: `numbers` x `scale`, about.
struct Fp8 {
  at::Tensor numbers;  // of the type asked for
  at::Tensor scale;    // float32, no dimensions; on the device of the tensor
};
/// `type`: at::kFloat8_e4m3fn (numbers up to 448) or at::kFloat8_e5m2 (57,344).  Its largest number
/// becomes the type's largest.  No number becomes infinite; NaN and infinities of x become NaN.
Fp8 to_fp8(const at::Tensor& x, at::ScalarType type);

/// a [M, K] times the transpose of b [N, K], float32.  Sums are in float32; on CPUs the rounded
/// numbers are multiplied as float32.  GPUs take M, N and K that 16 divides.
at::Tensor fp8_product(const Fp8& a, const Fp8& b);
/// Whether a GPU takes such sizes; CPUs take all.
bool fits_fp8(const at::Tensor& x, const at::Tensor& w);

/// As linear() of ops.h, three products in 8 bits.  x [N, K], w [M, K] of float32 or
/// bf16; the result and dw are float32, dx is of x's type.
at::Tensor fp8_linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias = {});

}  // namespace kani::train
