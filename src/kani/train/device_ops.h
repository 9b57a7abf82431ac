// device_ops.h - the operations of ops.h on a GPU: nodes of the graph around the kernels of cuda/,
// which come as a table so that tests can put their twins on a CPU in the place.
// Types: float32 or bf16 numbers with float32 weights of norms and taps; what the kernels do not
// take (other types, widths beyond their limits) goes through ops_plain.h.
#pragma once

#include <cstdint>
#include <vector>

#include "kani/train/cuda/kernels.h"
#include "kani/train/ops.h"
#include "kani/train/torch.h"

namespace kani::train::device {

using cuda::Kernels;

/// x bf16 and w float32: w is rounded for the products, which add up in float32; the result and
/// both gradients' sums are float32.  All else: at::linear.
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias);
at::Tensor rms_norm(const Kernels& kernels, const at::Tensor& x, const at::Tensor& w, double eps);
NormedSum add_rms_norm(const Kernels& kernels, const at::Tensor& x, const at::Tensor& more,
                       const at::Tensor& w, double eps);
at::Tensor norm_rope(const Kernels& kernels, const at::Tensor& x, const at::Tensor& w,
                     const at::Tensor& angles, double eps);
at::Tensor swiglu(const Kernels& kernels, const at::Tensor& gate, const at::Tensor& up);
at::Tensor short_conv(const Kernels& kernels, const at::Tensor& bcx, const at::Tensor& taps,
                      const at::Tensor& bias, const std::vector<int64_t>& starts);
/// bf16 on a GPU: LibTorch's flash attention with documents by their starts, on tensor cores.  Else
/// our kernels; heads wider than those take: ops_plain.h.
at::Tensor attention(const Kernels& kernels, const at::Tensor& q, const at::Tensor& k,
                     const at::Tensor& v, const std::vector<int64_t>& starts);
LossResult cross_entropy(const Kernels& kernels, const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, int64_t chunk,
                         const LossRules& rules = {});

}  // namespace kani::train::device
