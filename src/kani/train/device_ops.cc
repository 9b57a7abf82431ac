// device_ops.cc - see device_ops.h.
#include "kani/train/device_ops.h"

#include <ATen/ops/_flash_attention_forward.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "kani/train/cuda_device.h"
#include "kani/train/ops_plain.h"
#include "kani/train/sequence.h"
#include "kani/train/torch_function.h"

namespace kani::train::device {
namespace {

using cuda::Number;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool known(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
}
bool is_float(const at::Tensor& x) { return x.scalar_type() == at::kFloat; }
Number type_of(const at::Tensor& x) { return is_float(x) ? Number::kF32 : Number::kBF16; }

const void* read(const at::Tensor& x) { return x.const_data_ptr(); }
const float* read_floats(const at::Tensor& x) { return x.const_data_ptr<float>(); }
void* write(const at::Tensor& x) { return x.mutable_data_ptr(); }
float* write_floats(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }

at::Tensor floats(at::IntArrayRef shape, const at::Tensor& like) {
  return at::empty(shape, like.options().dtype(at::kFloat));
}

// Small whole numbers from the host to where `like` is.
at::Tensor numbers_beside(const std::vector<int32_t>& values, const at::Tensor& like) {
  return at::tensor(at::ArrayRef<int32_t>(values)).to(like.device());
}
at::Tensor starts_beside(const std::vector<int64_t>& starts, const at::Tensor& like) {
  return numbers_beside(std::vector<int32_t>(starts.begin(), starts.end()), like);
}

// The table a node was made with, for its backward pass.
void keep(AutogradContext* context, const Kernels* kernels) {
  context->saved_data["kernels"] = reinterpret_cast<int64_t>(kernels);
}
const Kernels& kept(AutogradContext* context) {
  return *reinterpret_cast<const Kernels*>(context->saved_data["kernels"].toInt());
}

// What comes back as the type of what went forward.
at::Tensor as(const at::Tensor& grad, const at::Tensor& like) {
  return grad.to(like.scalar_type()).contiguous();
}

class Linear : public Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w) {
    const at::Tensor rounded = w.to(x.scalar_type());
    context->save_for_backward({x, rounded});
    return at::mm(x, rounded.t(), at::kFloat);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], dy = as(grads[0], x);
    at::Tensor dx, dw;
    if (context->needs_input_grad(0)) dx = at::mm(dy, w);
    if (context->needs_input_grad(1)) dw = at::mm(dy.t(), x, at::kFloat);
    return {dx, dw};
  }
};

// Of x, or of x + more, which then is the second result.
class RmsNorm : public Function<RmsNorm> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_any,
                               const std::optional<at::Tensor>& more_any, const at::Tensor& w,
                               double eps, const Kernels* kernels) {
    const at::Tensor x = x_any.contiguous(),
                     more = more_any ? more_any->contiguous() : at::Tensor();
    const int64_t width = x.size(-1), rows = x.numel() / width;
    const at::Tensor y = at::empty_like(x), inv = floats({rows}, x),
                     sum = more.defined() ? at::empty_like(x) : at::Tensor();
    kernels->norm_forward({.x = read(x),
                           .more = more.defined() ? read(more) : nullptr,
                           .w = read_floats(w),
                           .eps = static_cast<float>(eps),
                           .rows = rows,
                           .width = static_cast<int>(width),
                           .sum = sum.defined() ? write(sum) : nullptr,
                           .y = write(y),
                           .inv = write_floats(inv)},
                          type_of(x), stream_of(x));
    context->save_for_backward({sum.defined() ? sum : x, w, inv});
    keep(context, kernels);
    if (sum.defined()) return {y, sum};
    return {y};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &inv = saved[2];
    const bool summed = grads.size() > 1;
    const at::Tensor dy = as(grads[0], x), dsum = summed ? as(grads[1], x) : at::Tensor();
    const int64_t width = x.size(-1), rows = x.numel() / width;
    const at::Tensor dx = at::empty_like(x), dw = at::empty_like(w),
                     partials = floats({cuda::norm_partials(rows), width}, x);
    kept(context).norm_backward({.dy = read(dy),
                                 .x = read(x),
                                 .dsum = summed ? read(dsum) : nullptr,
                                 .w = read_floats(w),
                                 .inv = read_floats(inv),
                                 .rows = rows,
                                 .width = static_cast<int>(width),
                                 .dx = write(dx),
                                 .partials = write_floats(partials),
                                 .dw = write_floats(dw)},
                                type_of(x), stream_of(x));
    return {dx, summed ? dx : at::Tensor(), dw, {}, {}};
  }
};

class NormRope : public Function<NormRope> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any, const at::Tensor& w,
                            const at::Tensor& angles_any, double eps, const Kernels* kernels) {
    const at::Tensor x = x_any.contiguous(), angles = angles_any.contiguous();
    const at::Tensor y = at::empty_like(x);
    kernels->rope_forward({.x = read(x),
                           .w = read_floats(w),
                           .angles = read_floats(angles),
                           .eps = static_cast<float>(eps),
                           .count = x.size(0),
                           .heads = static_cast<int>(x.size(1)),
                           .half = static_cast<int>(x.size(2) / 2),
                           .y = write(y)},
                          type_of(x), stream_of(x));
    context->save_for_backward({x, w, angles});
    context->saved_data["eps"] = eps;
    keep(context, kernels);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &angles = saved[2];
    const at::Tensor dy = as(grads[0], x);
    const at::Tensor dx = at::empty_like(x), dw = at::empty_like(w),
                     dangles = at::empty_like(angles),
                     partials = floats({cuda::rope_partials(x.size(0)), x.size(2)}, x);
    kept(context).rope_backward({.dy = read(dy),
                                 .x = read(x),
                                 .w = read_floats(w),
                                 .angles = read_floats(angles),
                                 .eps = static_cast<float>(context->saved_data["eps"].toDouble()),
                                 .count = x.size(0),
                                 .heads = static_cast<int>(x.size(1)),
                                 .half = static_cast<int>(x.size(2) / 2),
                                 .dx = write(dx),
                                 .dangles = write_floats(dangles),
                                 .partials = write_floats(partials),
                                 .dw = write_floats(dw)},
                                type_of(x), stream_of(x));
    return {dx, dw, dangles, {}, {}};
  }
};

class Swiglu : public Function<Swiglu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate_any,
                            const at::Tensor& up_any, const Kernels* kernels) {
    const at::Tensor gate = gate_any.contiguous(), up = up_any.contiguous();
    const at::Tensor y = at::empty_like(gate);
    kernels->swiglu_forward(
        {.gate = read(gate), .up = read(up), .count = gate.numel(), .y = write(y)}, type_of(gate),
        stream_of(gate));
    context->save_for_backward({gate, up});
    keep(context, kernels);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1], dy = as(grads[0], gate);
    const at::Tensor dgate = at::empty_like(gate), dup = at::empty_like(up);
    kept(context).swiglu_backward({.dy = read(dy),
                                   .gate = read(gate),
                                   .up = read(up),
                                   .count = gate.numel(),
                                   .dgate = write(dgate),
                                   .dup = write(dup)},
                                  type_of(gate), stream_of(gate));
    return {dgate, dup, {}};
  }
};

class ShortConv : public Function<ShortConv> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& bcx_any,
                            const at::Tensor& taps_any, const std::optional<at::Tensor>& bias,
                            const std::vector<int64_t>& starts_any, const Kernels* kernels) {
    const at::Tensor bcx = bcx_any.contiguous();
    const at::Tensor taps = taps_any.squeeze(1).t().contiguous();  // [L, H]
    const at::Tensor starts = starts_beside(starts_any, bcx);
    const at::Tensor y = at::empty({bcx.size(0), taps.size(1)}, bcx.options());
    kernels->conv_forward({.bcx = read(bcx),
                           .taps = read_floats(taps),
                           .bias = bias ? read_floats(*bias) : nullptr,
                           .starts = starts.const_data_ptr<int32_t>(),
                           .documents = static_cast<int>(starts.size(0) - 1),
                           .count = bcx.size(0),
                           .width = static_cast<int>(taps.size(1)),
                           .length = static_cast<int>(taps.size(0)),
                           .y = write(y)},
                          type_of(bcx), stream_of(bcx));
    context->save_for_backward({bcx, taps, starts, bias.value_or(at::Tensor())});
    keep(context, kernels);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &bcx = saved[0], &taps = saved[1], &starts = saved[2], &bias = saved[3];
    const at::Tensor dy = as(grads[0], bcx), dbcx = at::empty_like(bcx);
    const int64_t count = bcx.size(0), length = taps.size(0), width = taps.size(1);
    const at::Tensor dtaps = floats({length + 1, width}, bcx),
                     partials = floats({cuda::conv_partials(count), length + 1, width}, bcx);
    kept(context).conv_backward({.dy = read(dy),
                                 .bcx = read(bcx),
                                 .taps = read_floats(taps),
                                 .bias = bias.defined() ? read_floats(bias) : nullptr,
                                 .starts = starts.const_data_ptr<int32_t>(),
                                 .documents = static_cast<int>(starts.size(0) - 1),
                                 .count = count,
                                 .width = static_cast<int>(width),
                                 .length = static_cast<int>(length),
                                 .dbcx = write(dbcx),
                                 .partials = write_floats(partials),
                                 .dtaps = write_floats(dtaps)},
                                type_of(bcx), stream_of(bcx));
    return {dbcx,
            dtaps.slice(0, 0, length).t().contiguous().unsqueeze(1),
            bias.defined() ? dtaps[length] : at::Tensor(),
            {},
            {}};
  }
};

// Tiles of at most `size` rows, none across the end of a document; as AttentionForward::tiles.
std::vector<int32_t> tiles_of(const std::vector<int64_t>& starts, int64_t size) {
  std::vector<int32_t> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    for (int64_t row = starts[d]; row < starts[d + 1]; row += size) {
      for (const int64_t number :
           {row, std::min(size, starts[d + 1] - row), starts[d], starts[d + 1]})
        out.push_back(static_cast<int32_t>(number));
    }
  }
  return out;
}

float score_scale(int64_t head_dim) { return 1 / std::sqrt(static_cast<float>(head_dim)); }

class Attention : public Function<Attention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_any,
                            const at::Tensor& k_any, const at::Tensor& v_any,
                            const std::vector<int64_t>& starts, const Kernels* kernels) {
    const at::Tensor q = q_any.contiguous(), k = k_any.contiguous(), v = v_any.contiguous();
    const int width = static_cast<int>(q.size(2));
    const at::Tensor tiles = numbers_beside(tiles_of(starts, cuda::attention_tile(width)), q);
    const at::Tensor y = at::empty_like(q), lse = floats({q.size(0), q.size(1)}, q);
    kernels->attention_forward({.q = read(q),
                                .k = read(k),
                                .v = read(v),
                                .tiles = tiles.const_data_ptr<int32_t>(),
                                .tile_count = tiles.size(0) / 4,
                                .count = q.size(0),
                                .heads = static_cast<int>(q.size(1)),
                                .kv_heads = static_cast<int>(k.size(1)),
                                .head_dim = width,
                                .scale = score_scale(width),
                                .y = write(y),
                                .lse = write_floats(lse)},
                               type_of(q), stream_of(q));
    context->save_for_backward({q, k, v, y, lse, tiles});
    keep(context, kernels);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &y = saved[3], &lse = saved[4],
                     &tiles = saved[5];
    const at::Tensor dy = as(grads[0], q);
    const at::Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v),
                     delta = at::empty_like(lse);
    kept(context).attention_backward({.dy = read(dy),
                                      .q = read(q),
                                      .k = read(k),
                                      .v = read(v),
                                      .y = read(y),
                                      .lse = read_floats(lse),
                                      .tiles = tiles.const_data_ptr<int32_t>(),
                                      .tile_count = tiles.size(0) / 4,
                                      .count = q.size(0),
                                      .heads = static_cast<int>(q.size(1)),
                                      .kv_heads = static_cast<int>(k.size(1)),
                                      .head_dim = static_cast<int>(q.size(2)),
                                      .scale = score_scale(q.size(2)),
                                      .delta = write_floats(delta),
                                      .dq = write(dq),
                                      .dk = write(dk),
                                      .dv = write(dv)},
                                     type_of(q), stream_of(q));
    return {dq, dk, dv, {}, {}};
  }
};

at::Tensor flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                 const std::vector<int64_t>& starts) {
  int64_t longest = 0;
  for (size_t d = 0; d + 1 < starts.size(); ++d)
    longest = std::max(longest, starts[d + 1] - starts[d]);
  const at::Tensor places = starts_beside(starts, q);
  return std::get<0>(at::_flash_attention_forward(q, k, v, places, places, longest, longest,
                                                  /*dropout_p=*/0, /*is_causal=*/true,
                                                  /*return_debug_mask=*/false));
}

class CrossEntropy : public Function<CrossEntropy> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden_any,
                               const at::Tensor& head, const at::Tensor& targets, double scale,
                               int64_t chunk, bool learn, bool learn_head, const Kernels* kernels,
                               const LossRules& rules) {
    const at::Tensor hidden = hidden_any.contiguous(), table = head.to(hidden.scalar_type());
    const int64_t count = hidden.size(0), vocabulary = head.size(0);
    const at::Tensor losses = floats({count}, hidden);
    const at::Tensor sums = rules.plain() ? losses : floats({count}, hidden);
    const at::Tensor dhidden = learn ? at::empty_like(hidden) : at::Tensor();
    const at::Tensor dhead = learn && learn_head
                                 ? at::zeros(head.sizes(), head.options().dtype(at::kFloat))
                                 : at::Tensor();
    for (int64_t first = 0; first < count; first += chunk) {
      const int64_t last = std::min(count, first + chunk);
      const at::Tensor part = hidden.slice(0, first, last), logits = at::mm(part, table.t());
      const at::Tensor ids = targets.slice(0, first, last), out = losses.slice(0, first, last);
      if (rules.plain()) {
        kernels->classify({.logits = write(logits),
                           .targets = ids.const_data_ptr<int64_t>(),
                           .rows = last - first,
                           .vocabulary = vocabulary,
                           .factor = static_cast<float>(scale),
                           .losses = write_floats(out)},
                          type_of(hidden), stream_of(hidden));
      } else {
        classify(logits, ids, scale, rules, first, out, sums.slice(0, first, last));
      }
      if (learn) dhidden.slice(0, first, last).copy_(at::mm(logits, table));
      if (dhead.defined()) {
        dhead.add_(is_float(hidden) ? at::mm(logits.t(), part)
                                    : at::mm(logits.t(), part, at::kFloat));
      }
    }
    context->save_for_backward({dhidden, dhead});
    context->mark_non_differentiable({losses});
    return {(sums.sum(at::kDouble) * scale).to(at::kFloat), losses};
  }

  // The kernel's work with rules, by LibTorch's operations: logits become derivatives.
  static void classify(const at::Tensor& logits, const at::Tensor& targets, double scale,
                       const LossRules& rules, int64_t first, const at::Tensor& losses,
                       const at::Tensor& sums) {
    const at::Tensor wide = logits.to(at::kFloat), none = targets.eq(kNoTarget);
    const at::Tensor id = targets.masked_fill(none, 0).unsqueeze(1);
    const at::Tensor sum = at::logsumexp(wide, {-1}), wanted = wide.gather(1, id).squeeze(1);
    const double s = rules.label_smoothing, z = rules.z_loss;
    const at::Tensor all = sum - wanted * (1 - s) - wide.mean(-1) * s + sum.square() * z;
    const at::Tensor given = rules.weights.defined()
                                 ? rules.weights.slice(0, first, first + logits.size(0))
                                 : at::ones_like(sum);
    const at::Tensor weight = given.masked_fill(none, 0);
    losses.copy_((sum - wanted).masked_fill(none, 0));
    sums.copy_(all * weight);
    at::Tensor slope = at::softmax(wide, -1) * (sum * (2 * z) + 1).unsqueeze(1) -
                       s / static_cast<double>(wide.size(1));
    slope.scatter_add_(1, id, at::full_like(id, s - 1, slope.options()));
    logits.copy_(slope * (weight * scale).unsqueeze(1));
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    at::Tensor dhidden = saved[0], dhead = saved[1];
    // A product with a number on the device: asking for it would wait for the forward pass.
    dhidden = (dhidden * grads[0]).to(dhidden.scalar_type());
    if (dhead.defined()) dhead = dhead * grads[0];
    return {dhidden, dhead, {}, {}, {}, {}, {}, {}, {}};
  }
};

// Whether the norm's kernels take x and its weights.
bool normed(const at::Tensor& x, const at::Tensor& w) {
  return known(x) && is_float(w) && x.size(-1) <= cuda::kMostNormWidth;
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  if (x.scalar_type() != at::kBFloat16 || !known(w)) return at::linear(x, w, bias);
  const at::Tensor y = Linear::apply(x, w);
  return bias.defined() ? y + bias : y;
}

at::Tensor rms_norm(const Kernels& kernels, const at::Tensor& x, const at::Tensor& w, double eps) {
  if (!normed(x, w)) return plain::rms_norm(x, w, eps);
  return RmsNorm::apply(x, std::nullopt, w, eps, &kernels)[0];
}

NormedSum add_rms_norm(const Kernels& kernels, const at::Tensor& x, const at::Tensor& more,
                       const at::Tensor& w, double eps) {
  if (!normed(x, w) || x.scalar_type() != more.scalar_type()) {
    const at::Tensor sum = x + more;
    return {sum, rms_norm(kernels, sum, w, eps)};
  }
  const variable_list both = RmsNorm::apply(x, std::optional(more), w, eps, &kernels);
  return {both[1], both[0]};
}

at::Tensor norm_rope(const Kernels& kernels, const at::Tensor& x, const at::Tensor& w,
                     const at::Tensor& angles, double eps) {
  if (!known(x) || !is_float(w) || !is_float(angles) || x.size(2) / 2 > cuda::kMostHalf)
    return plain::norm_rope(x, w, angles, eps);
  return NormRope::apply(x, w, angles, eps, &kernels);
}

at::Tensor swiglu(const Kernels& kernels, const at::Tensor& gate, const at::Tensor& up) {
  if (!known(gate) || gate.scalar_type() != up.scalar_type()) return plain::swiglu(gate, up);
  return Swiglu::apply(gate, up, &kernels);
}

at::Tensor short_conv(const Kernels& kernels, const at::Tensor& bcx, const at::Tensor& taps,
                      const at::Tensor& bias, const std::vector<int64_t>& starts) {
  if (!known(bcx) || !is_float(taps) || taps.size(2) > cuda::kMostTaps)
    return plain::short_conv(bcx, taps, bias, starts);
  return ShortConv::apply(bcx, taps, bias.defined() ? std::optional(bias) : std::nullopt, starts,
                          &kernels);
}

at::Tensor attention(const Kernels& kernels, const at::Tensor& q, const at::Tensor& k,
                     const at::Tensor& v, const std::vector<int64_t>& starts) {
  if (q.is_cuda() && q.scalar_type() == at::kBFloat16 && q.size(2) % 8 == 0 &&
      q.size(2) <= cuda::kMostHead)
    return flash(q, k, v, starts);
  if (!known(q) || q.size(2) > cuda::kMostHead) return plain::attention(q, k, v, starts);
  return Attention::apply(q, k, v, starts, &kernels);
}

LossResult cross_entropy(const Kernels& kernels, const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, int64_t chunk,
                         const LossRules& rules) {
  if (!known(hidden) || !known(head))
    return plain::cross_entropy(hidden, head, targets, scale, rules);
  const bool learn = at::GradMode::is_enabled() && (hidden.requires_grad() || head.requires_grad());
  const auto out = CrossEntropy::apply(hidden, head, targets, scale, chunk, learn,
                                       head.requires_grad(), &kernels, rules);
  return {out[0], out[1]};
}

}  // namespace kani::train::device
