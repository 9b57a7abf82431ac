// ops.h - the operations of the model that LibTorch has no fused form of, with their derivatives.
// Each is one node of the graph: it keeps what its backward pass needs and nothing else.
// Documents are rows starts[d] … starts[d + 1]; none sees another.
// Legend: N elements, H hidden size, D head width, I inner size, V vocabulary, L taps.
// float32 on CPUs (loops.h), float32 and bf16 on GPUs (device_ops.h); anything else goes through
// ops_plain.h, which says what is right.
#pragma once

#include <cstdint>
#include <vector>

#include "kani/train/audio_table.h"
#include "kani/train/torch.h"

namespace kani::train {

/// x w^T (+ bias).  x [N, K], w [M, K], bias [M] or undefined.  If x is bf16, w and what comes back
/// in the backward pass are rounded to bf16 for the products; the result and dw are float32, also
/// of a w that is bf16 itself.
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias = {});

/// x / sqrt(mean of x^2 + eps) * w.  x [N, H] (or [N, heads, D] with w [D]), w [H].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps);

struct NormedSum {
  at::Tensor sum, normed;
};
/// sum = x + more, normed = rms_norm(sum): on GPUs one reading of both.
NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& more, const at::Tensor& w,
                       double eps);

/// The same per head, then turned by angles: halves a, b of D become a cos - b sin, b cos + a sin.
/// x [N, heads, D], w [D], angles [N, D/2], which may want a gradient (learnable RoPE).
at::Tensor norm_rope(const at::Tensor& x, const at::Tensor& w, const at::Tensor& angles,
                     double eps);

/// silu(gate) * up.  Both [N, I].
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);

/// c * conv(b * x'), [b, c, x'] = bcx [N, 3H] (+ in_bias), taps [H, 1, L], bias [H] or undefined.
/// Taps that would reach before a document's start see zeros.
at::Tensor short_conv(const at::Tensor& bcx, const at::Tensor& taps, const at::Tensor& bias,
                      const std::vector<int64_t>& starts);

/// Causal within a document.  q [N, heads, D], k, v [N, kv_heads, D]; returns [N, heads, D].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::vector<int64_t>& starts);

/// x / (1 - p), but 0 for a share p of the numbers.  Which ones is a function of `key` and their
/// place alone: computed again it is the same, and nothing is kept for it.  0 <= p < 1.
at::Tensor dropout(const at::Tensor& x, double p, uint64_t key);

/// What is added to -log p of each target, and how much each counts (training.md 14.3).
struct LossRules {
  double label_smoothing = 0;  // s: the target is (1 - s) itself and s all V ids alike
  double z_loss = 0;           // times the square of the logits' log-sum-exp
  at::Tensor weights{};        // [N] float32; undefined: 1 each

  bool plain() const { return label_smoothing == 0 && z_loss == 0 && !weights.defined(); }
};
struct LossResult {
  at::Tensor loss;       // scalar: sum over targets of their losses, times scale; differentiable
  at::Tensor per_token;  // [N] float32, -log p whatever the rules; 0 without a target
};
/// Cross-entropy over all V rows of `head`, `chunk` elements at a time (on CPUs fewer if their
/// logits were more than 256 MB): logits never exist for
/// more, and gradients are made on the way (training.md 14.3).  Elements without a target cost
/// nothing. hidden [N, H], head [V, H], targets [N] (kNoTarget = none).  The result does not depend
/// on `chunk` but for rounding.  If hidden is bf16 the products are, the rest is float32.
/// With `factors` the head is a table of sums, [factors.rows(), H], and the softmax is that over
/// all factors.ids() ids, exactly, without a logit for each: those of a codebook add up to the
/// product of sums over its digits.  Throws Error(kInvalidArgument) for weights of another length.
LossResult cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, int64_t chunk,
                         const TableFactors& factors = {}, const LossRules& rules = {});

}  // namespace kani::train
