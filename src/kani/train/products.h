// products.h - matrix products on CPUs by oneDNN, which LibTorch carries: on AVX-512
// processors of AMD twice as fast as the MKL behind at::mm (420 to 490 GFLOP/s beside 170 to 215 on
// two cores of a Zen 5; MKL takes its AVX2 kernels there).
// Not here: derivatives (ops.h).
#pragma once

#include "kani/train/torch.h"

namespace kani::train {

/// a [M, K] times the transpose of b [N, K].  Any strides of two dimensions; falls back to at::mm
/// where oneDNN is not built in, for other types and devices, and for nothing to do.
/// Of bf16 on CPUs the result is float32: where the processor multiplies bf16 (AMX, AVX-512 BF16)
/// by oneDNN, which sums in float32 and rounds the result once; elsewhere as float32, in which
/// products of bf16 are exact.
at::Tensor product(const at::Tensor& a, const at::Tensor& b);

/// The transpose of a [N, M] times b [N, K]: a weight's derivative.  oneDNN has to turn both over
/// first, so MKL makes it unless the processor has AVX-512 (170 beside 120 GFLOP/s on two cores of
/// a Zen 3, as fast as product()).
at::Tensor outer_product(const at::Tensor& a, const at::Tensor& b);
/// The same, added to `sum` [M, K].
void add_outer_product(const at::Tensor& a, const at::Tensor& b, at::Tensor& sum);

}  // namespace kani::train
