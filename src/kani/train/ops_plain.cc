// ops_plain.cc - see ops_plain.h.
#include "kani/train/ops_plain.h"

#include <cmath>

namespace kani::train::plain {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) {
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean({-1}, /*keepdim=*/true) + eps);
  return (wide * scale).to(x.scalar_type()) * w;
}

at::Tensor norm_rope(const at::Tensor& x, const at::Tensor& w, const at::Tensor& angles,
                     double eps) {
  const auto halves = rms_norm(x, w, eps).chunk(2, -1);
  const at::Tensor cos = angles.cos().unsqueeze(1).to(x.scalar_type());
  const at::Tensor sin = angles.sin().unsqueeze(1).to(x.scalar_type());
  return at::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
}

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) { return at::silu(gate) * up; }

at::Tensor short_conv(const at::Tensor& bcx, const at::Tensor& taps, const at::Tensor& bias,
                      const std::vector<int64_t>& starts) {
  const auto parts = bcx.chunk(3, -1);
  const int64_t width = taps.size(0), length = taps.size(2);
  std::vector<at::Tensor> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const at::Tensor g = (parts[0] * parts[2]).slice(0, starts[d], starts[d + 1]);
    const at::Tensor padded = at::constant_pad_nd(g.t().unsqueeze(0), {length - 1, 0});
    out.push_back(
        at::convolution(padded, taps, bias, {1}, {0}, {1}, false, {0}, width).squeeze(0).t());
  }
  return parts[1] * at::cat(out, 0);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::vector<int64_t>& starts) {
  const int64_t group = q.size(1) / k.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2)));
  std::vector<at::Tensor> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const auto part = [&](const at::Tensor& x) {
      return x.slice(0, starts[d], starts[d + 1]).transpose(0, 1);
    };
    const at::Tensor keys = part(k).repeat_interleave(group, 0);
    const at::Tensor values = part(v).repeat_interleave(group, 0);
    const at::Tensor scores = at::matmul(part(q), keys.transpose(1, 2)) * scale;
    const at::Tensor future = at::ones_like(scores, at::kBool).triu(1);
    const at::Tensor weights = at::softmax(scores.masked_fill(future, -INFINITY), -1);
    out.push_back(at::matmul(weights, values).transpose(0, 1));
  }
  return at::cat(out, 0);
}

LossResult cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, const LossRules& rules) {
  const at::Tensor logits = at::matmul(hidden, head.t()).to(at::kFloat);
  const at::Tensor losses =
      at::cross_entropy_loss(logits, targets, {}, at::Reduction::None, /*ignore_index=*/-100);
  if (rules.plain()) return {losses.sum() * scale, losses.detach()};
  const at::Tensor sums = at::logsumexp(logits, {-1});
  at::Tensor all = losses * (1 - rules.label_smoothing) +
                   (sums - logits.mean(-1)) * rules.label_smoothing + sums.square() * rules.z_loss;
  if (rules.weights.defined()) all = all * rules.weights;
  return {all.masked_fill(targets.eq(kNoTarget), 0).sum() * scale, losses.detach()};
}

}  // namespace kani::train::plain
