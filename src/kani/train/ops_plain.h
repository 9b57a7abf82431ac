// ops_plain.h - the operations of ops.h made of LibTorch's own: the definition of right, and what
// runs where no fused form exists.
#pragma once

#include "kani/train/ops.h"
#include "kani/train/sequence.h"

namespace kani::train::plain {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps);
at::Tensor norm_rope(const at::Tensor& x, const at::Tensor& w, const at::Tensor& angles,
                     double eps);
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);
at::Tensor short_conv(const at::Tensor& bcx, const at::Tensor& taps, const at::Tensor& bias,
                      const std::vector<int64_t>& starts);
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::vector<int64_t>& starts);
LossResult cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, const LossRules& rules = {});

}  // namespace kani::train::plain
