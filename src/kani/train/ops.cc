// ops.cc - see ops.h: nodes of the graph around the loops of loops.h.
#include "kani/train/ops.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/cuda_device.h"
#include "kani/train/device_ops.h"
#include "kani/train/document_attention.h"
#include "kani/train/loops.h"
#include "kani/train/narrow_weights.h"
#include "kani/train/ops_plain.h"
#include "kani/train/products.h"
#include "kani/train/sequence.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kRowGrain = 16;     // rows that are worth a thread
constexpr int64_t kColumnGrain = 64;  // columns of a sum over rows: whole cache lines
constexpr int64_t kNumberGrain = 16384;

bool fused(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

const float* read(const at::Tensor& x) { return x.const_data_ptr<float>(); }
float* write(at::Tensor& x) { return x.mutable_data_ptr<float>(); }

class Linear : public Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w) {
    context->save_for_backward({x, w});
    return product(x, w.to(x.scalar_type())).to(at::kFloat);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1];
    const auto type = x.scalar_type();
    const at::Tensor dy = grads[0].to(type).contiguous();
    at::Tensor dx, dw;
    if (context->needs_input_grad(0)) dx = product(dy, w.to(type).t()).to(type);
    if (context->needs_input_grad(1)) dw = outer_product(dy, x).to(at::kFloat);
    return {dx, dw};
  }
};

class RmsNorm : public Function<RmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any, const at::Tensor& w,
                            double eps) {
    const at::Tensor x = x_any.contiguous();
    const int64_t width = x.size(-1), rows = x.numel() / width;
    at::Tensor y = at::empty_like(x), inv = at::empty({rows}, x.options());
    at::parallel_for(0, rows, kRowGrain, [&](int64_t begin, int64_t end) {
      loops::norm_forward(read(x), read(w), static_cast<float>(eps), begin, end, width, write(y),
                          write(inv));
    });
    context->save_for_backward({x, w, inv});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &inv = saved[2];
    const at::Tensor dy = grads[0].contiguous();
    const int64_t width = x.size(-1), rows = x.numel() / width;
    at::Tensor dx, dw;
    if (context->needs_input_grad(0)) {
      dx = at::empty_like(x);
      at::parallel_for(0, rows, kRowGrain, [&](int64_t begin, int64_t end) {
        loops::norm_backward_x(read(dy), read(x), read(w), read(inv), begin, end, width, write(dx));
      });
    }
    if (context->needs_input_grad(1)) {
      dw = at::zeros_like(w);
      at::parallel_for(0, width, kColumnGrain, [&](int64_t begin, int64_t end) {
        loops::norm_backward_w(read(dy), read(x), read(inv), rows, width, begin, end, write(dw));
      });
    }
    return {dx, dw, {}};
  }
};

class NormRope : public Function<NormRope> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any, const at::Tensor& w,
                            const at::Tensor& angles, double eps) {
    const at::Tensor x = x_any.contiguous();
    const int64_t count = x.size(0), heads = x.size(1), width = x.size(2), rows = count * heads;
    const at::Tensor cos = angles.cos(), sin = angles.sin();
    at::Tensor normed = at::empty_like(x), y = at::empty_like(x),
               inv = at::empty({rows}, x.options());
    at::parallel_for(0, count, kRowGrain, [&](int64_t begin, int64_t end) {
      loops::norm_forward(read(x), read(w), static_cast<float>(eps), begin * heads, end * heads,
                          width, write(normed), write(inv));
      loops::rope_forward(read(normed), read(cos), read(sin), {heads, width / 2}, begin, end,
                          write(y));
    });
    context->save_for_backward({x, w, inv, y, cos, sin});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &inv = saved[2], &y = saved[3], &cos = saved[4],
                     &sin = saved[5];
    const at::Tensor dy = grads[0].contiguous();
    const int64_t count = x.size(0), heads = x.size(1), width = x.size(2), rows = count * heads;
    at::Tensor dn = at::empty_like(x), dangle = at::empty_like(cos), dx = at::empty_like(x), dw;
    at::parallel_for(0, count, kRowGrain, [&](int64_t begin, int64_t end) {
      loops::rope_backward(read(dy), read(y), read(cos), read(sin), {heads, width / 2}, begin, end,
                           write(dn), write(dangle));
      loops::norm_backward_x(read(dn), read(x), read(w), read(inv), begin * heads, end * heads,
                             width, write(dx));
    });
    if (context->needs_input_grad(1)) {
      dw = at::zeros_like(w);
      at::parallel_for(0, width, kColumnGrain, [&](int64_t begin, int64_t end) {
        loops::norm_backward_w(read(dn), read(x), read(inv), rows, width, begin, end, write(dw));
      });
    }
    return {dx, dw, dangle, {}};
  }
};

class Swiglu : public Function<Swiglu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate_any,
                            const at::Tensor& up_any) {
    const at::Tensor gate = gate_any.contiguous(), up = up_any.contiguous();
    at::Tensor y = at::empty_like(gate);
    at::parallel_for(0, gate.numel(), kNumberGrain, [&](int64_t begin, int64_t end) {
      loops::swiglu_forward(read(gate), read(up), begin, end, write(y));
    });
    context->save_for_backward({gate, up});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1];
    const at::Tensor dy = grads[0].contiguous();
    at::Tensor dg = at::empty_like(gate), du = at::empty_like(up);
    at::parallel_for(0, gate.numel(), kNumberGrain, [&](int64_t begin, int64_t end) {
      loops::swiglu_backward(read(dy), read(gate), read(up), begin, end, write(dg), write(du));
    });
    return {dg, du};
  }
};

class ShortConv : public Function<ShortConv> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& bcx_any,
                            const at::Tensor& taps_any, const std::optional<at::Tensor>& bias,
                            const std::vector<int64_t>& starts) {
    const at::Tensor bcx = bcx_any.contiguous();
    const loops::ConvShape shape{taps_any.size(0), taps_any.size(2)};
    const at::Tensor taps = taps_any.squeeze(1).t().contiguous();  // [L, H]
    at::Tensor m = at::empty({bcx.size(0), shape.width}, bcx.options()), y = at::empty_like(m);
    const float* add = bias ? read(*bias) : nullptr;
    each_document(starts, [&](int64_t start, int64_t, int64_t begin, int64_t end) {
      loops::conv_forward(read(bcx), read(taps), add, shape, start, begin, end, write(m), write(y));
    });
    context->save_for_backward({bcx, taps, m});
    context->saved_data["starts"] = starts;
    context->saved_data["bias"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &bcx = saved[0], &taps = saved[1], &m = saved[2];
    const at::Tensor dy = grads[0].contiguous();
    const std::vector<int64_t> starts = context->saved_data["starts"].toIntVector();
    const bool has_bias = context->saved_data["bias"].toBool();
    const loops::ConvShape shape{taps.size(1), taps.size(0)};
    at::Tensor dbcx = at::empty_like(bcx), dtaps = at::zeros_like(taps);
    at::Tensor dbias = has_bias ? at::zeros({shape.width}, bcx.options()) : at::Tensor();
    each_document(starts, [&](int64_t, int64_t stop, int64_t begin, int64_t end) {
      loops::conv_backward(read(dy), read(bcx), read(m), read(taps), shape, stop, begin, end,
                           write(dbcx));
    });
    at::parallel_for(0, shape.width, kColumnGrain, [&](int64_t begin, int64_t end) {
      for (size_t d = 0; d + 1 < starts.size(); ++d) {
        loops::conv_backward_taps(read(dy), read(bcx), shape, starts[d], starts[d + 1], begin, end,
                                  write(dtaps), has_bias ? write(dbias) : nullptr);
      }
    });
    return {dbcx, dtaps.t().contiguous().unsqueeze(1), dbias, {}};
  }

 private:
  // body(start, stop, begin, end): rows [begin, end) of the document [start, stop).
  template <typename Body>
  static void each_document(const std::vector<int64_t>& starts, const Body& body) {
    at::parallel_for(0, starts.back(), kRowGrain, [&](int64_t begin, int64_t end) {
      auto after = std::upper_bound(starts.begin(), starts.end(), begin);
      for (int64_t row = begin; row < end; ++after) {
        const int64_t until = std::min(end, *after);
        body(*(after - 1), *after, row, until);
        row = until;
      }
    });
  }
};

class Dropout : public Function<Dropout> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double p, uint64_t key) {
    context->saved_data["p"] = p;
    context->saved_data["key"] = static_cast<int64_t>(key);
    return x * factors(x, p, key);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto key = static_cast<uint64_t>(context->saved_data["key"].toInt());
    return {grads[0] * factors(grads[0], context->saved_data["p"].toDouble(), key), {}, {}};
  }

 private:
  // 0 or 1 / (1 - p) for every number of x.
  static at::Tensor factors(const at::Tensor& x, double p, uint64_t key) {
    at::Tensor out = at::empty(x.sizes(), at::kFloat);
    float* factor = write(out);
    const auto kept = static_cast<float>(1 / (1 - p));
    at::parallel_for(0, out.numel(), kNumberGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const uint64_t drawn = splitmix64(key ^ splitmix64(static_cast<uint64_t>(i)));
        factor[i] = static_cast<double>(drawn >> 11) * 0x1p-53 < p ? 0.0F : kept;
      }
    });
    return out.to(x.options());
  }
};

// What the rules add, to a row of logits of which classify() has made derivatives.  With
// log-sum-exp L, target t and its logit l_t, mean logit m: the loss is L - l_t + s (l_t - m) + z
// L^2, of which the derivative by a logit is (1 + 2 z L) p - (1 - s) [t] - s / V.
class LossExtras {
 public:
  LossExtras(const TableFactors& factors, const LossRules& rules, int64_t rows)
      : factors_(factors), smoothing_(rules.label_smoothing), z_(rules.z_loss), rows_(rows) {
    if (!on() || smoothing_ == 0) return;
    const auto ids = static_cast<double>(factors.on() ? factors.ids() : rows);
    shares_.assign(static_cast<size_t>(rows), 1 / ids);
    if (!factors.on()) return;
    for (int64_t book = 0; book < factors.codebooks; ++book) {
      auto at = shares_.begin() + factors.text_rows + book * factors.book_rows();
      *at++ = static_cast<double>(factors.codes()) / ids;
      for (const int64_t level : factors.levels) {
        std::fill(at, at + level, static_cast<double>(factors.codes() / level) / ids);
        at += level;
      }
    }
  }

  bool on() const { return smoothing_ != 0 || z_ != 0; }

  struct Before {
    double wanted = 0, mean = 0;
  };
  Before before(const float* logits, int64_t target) const {
    Before out;
    for (const int64_t row : rows_of(target)) out.wanted += static_cast<double>(logits[row]);
    for (size_t i = 0; i < shares_.size(); ++i)
      out.mean += shares_[i] * static_cast<double>(logits[i]);
    return out;
  }
  /// The loss; `row` holds scale (p - [t]).
  double after(float* row, int64_t target, double surprise, double scale,
               const Before& before) const {
    const double sum = surprise + before.wanted, factor = 1 + 2 * z_ * sum;
    for (int64_t i = 0; i < rows_; ++i) {
      const double share = shares_.empty() ? 0 : shares_[static_cast<size_t>(i)];
      row[i] =
          static_cast<float>(factor * static_cast<double>(row[i]) - scale * smoothing_ * share);
    }
    for (const int64_t i : rows_of(target))
      row[i] += static_cast<float>(scale * (factor - 1 + smoothing_));
    return surprise + smoothing_ * (before.wanted - before.mean) + z_ * sum * sum;
  }

 private:
  std::vector<int64_t> rows_of(int64_t target) const {
    if (!factors_.on()) return {target};
    std::vector<int64_t> out(static_cast<size_t>(factors_.parts()));
    factors_.rows_of(target, out.data());
    std::erase(out, -1);
    return out;
  }

  const TableFactors& factors_;
  double smoothing_, z_;
  int64_t rows_;
  std::vector<double> shares_;  // of all ids: how many of them have this row; empty: not needed
};

// Logits of a chunk, 256 MB: the products copy them once.
constexpr int64_t kMostScores = int64_t{1} << 26;

class CrossEntropy : public Function<CrossEntropy> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden_any,
                               const at::Tensor& head, const at::Tensor& targets, double scale,
                               int64_t most_in_chunk, bool learn, bool learn_head,
                               const TableFactors& factors, const LossRules& rules) {
    const at::Tensor hidden = hidden_any.contiguous();
    const at::Tensor wanted = at::nonzero(targets.ne(kNoTarget)).squeeze(1);
    const auto type = hidden.scalar_type();
    const at::Tensor table = head.to(type);
    const auto full = hidden.options().dtype(at::kFloat);
    at::Tensor per_token = at::zeros({hidden.size(0)}, full);
    at::Tensor dhidden = learn ? at::zeros_like(hidden) : at::Tensor();
    at::Tensor dhead = learn && learn_head ? at::zeros(head.sizes(), full) : at::Tensor();
    const int64_t count = wanted.size(0), vocabulary = head.size(0);
    const int64_t chunk =
        std::clamp<int64_t>(kMostScores / std::max<int64_t>(vocabulary, 1), 1, most_in_chunk);
    const loops::FactorShape shape{factors.text_rows, factors.codebooks,
                                   static_cast<int64_t>(factors.levels.size()),
                                   factors.levels.data()};
    const LossExtras extras(factors, rules, vocabulary);
    const at::Tensor weights =
        rules.weights.defined() ? rules.weights.index_select(0, wanted).contiguous() : at::Tensor();
    const float* weight = weights.defined() ? weights.const_data_ptr<float>() : nullptr;
    double total = 0;
    for (int64_t first = 0; first < count; first += chunk) {
      const int64_t rows = std::min(chunk, count - first);
      const at::Tensor index = wanted.slice(0, first, first + rows);
      const at::Tensor part = hidden.index_select(0, index);
      at::Tensor scores = product(part, table), losses = at::empty({rows}, full);
      at::Tensor sums = extras.on() || weight != nullptr ? at::empty({rows}, full) : losses;
      const at::Tensor ids = targets.index_select(0, index);
      const int64_t* id = ids.const_data_ptr<int64_t>();
      at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          float* row = write(scores) + r * vocabulary;
          const double share = weight == nullptr ? 1 : static_cast<double>(weight[first + r]);
          const auto factor = static_cast<float>(scale * share);
          const LossExtras::Before before =
              extras.on() ? extras.before(row, id[r]) : LossExtras::Before();
          const float surprise = factors.on() ? loops::classify_sums(row, shape, id[r], factor)
                                              : loops::classify(row, vocabulary, id[r], factor);
          write(losses)[r] = surprise;
          if (sums.is_same(losses)) continue;
          const double loss = extras.on() ? extras.after(row, id[r], static_cast<double>(surprise),
                                                         scale * share, before)
                                          : static_cast<double>(surprise);
          write(sums)[r] = static_cast<float>(share * loss);
        }
      });
      total += sums.sum(at::kDouble).item<double>();
      per_token.index_copy_(0, index, losses);
      if (!learn) continue;
      scores = scores.to(type);
      dhidden.index_copy_(0, index, product(scores, table.t()).to(type));
      if (dhead.defined()) add_outer_product(scores, part, dhead);
    }
    context->save_for_backward({dhidden, dhead});
    context->mark_non_differentiable({per_token});
    return {at::scalar_tensor(total * scale, full), per_token};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const double factor = grads[0].item<double>();
    at::Tensor dhidden = saved[0], dhead = saved[1];
    if (factor != 1) {
      dhidden = dhidden * factor;
      if (dhead.defined()) dhead = dhead * factor;
    }
    return {dhidden, dhead, {}, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  if (x.is_cuda()) return device::linear(x, w, bias);
  if (!fused(x) && x.scalar_type() != at::kBFloat16) return at::linear(x, w, bias);
  const at::Tensor y = Linear::apply(x, w);
  return bias.defined() ? y + bias : y;
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) {
  if (const auto* kernels = kernels_for(x)) return device::rms_norm(*kernels, x, w, eps);
  return fused(x) ? RmsNorm::apply(x, w, eps) : plain::rms_norm(x, w, eps);
}

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& more, const at::Tensor& w,
                       double eps) {
  if (const auto* kernels = kernels_for(x)) return device::add_rms_norm(*kernels, x, more, w, eps);
  const at::Tensor sum = x + more;
  return {sum, rms_norm(sum, w, eps)};
}

at::Tensor norm_rope(const at::Tensor& x, const at::Tensor& w, const at::Tensor& angles,
                     double eps) {
  if (const auto* kernels = kernels_for(x)) return device::norm_rope(*kernels, x, w, angles, eps);
  return fused(x) ? NormRope::apply(x, w, angles, eps) : plain::norm_rope(x, w, angles, eps);
}

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
  if (const auto* kernels = kernels_for(gate)) return device::swiglu(*kernels, gate, up);
  return fused(gate) ? Swiglu::apply(gate, up) : plain::swiglu(gate, up);
}

at::Tensor short_conv(const at::Tensor& bcx, const at::Tensor& taps, const at::Tensor& bias,
                      const std::vector<int64_t>& starts) {
  require(starts.size() > 1 && starts.back() == bcx.size(0), "documents do not cover the elements");
  if (const auto* kernels = kernels_for(bcx))
    return device::short_conv(*kernels, bcx, taps, bias, starts);
  if (!fused(bcx)) return plain::short_conv(bcx, taps, bias, starts);
  return ShortConv::apply(bcx, taps, bias.defined() ? std::optional(bias) : std::nullopt, starts);
}

at::Tensor dropout(const at::Tensor& x, double p, uint64_t key) {
  require(p >= 0 && p < 1, "a dropout of ", p, ", must be 0 to below 1");
  return p == 0 ? x : Dropout::apply(x, p, key);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::vector<int64_t>& starts) {
  if (const auto* kernels = kernels_for(q)) return device::attention(*kernels, q, k, v, starts);
  const bool blocked = fused(q) || (q.is_cpu() && q.scalar_type() == at::kBFloat16);
  if (blocked && q.size(0) > 0) return document_attention(q, k, v, starts);
  const bool groups = q.size(1) != k.size(1);
  std::vector<at::Tensor> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const auto part = [&](const at::Tensor& x) {
      return x.slice(0, starts[d], starts[d + 1]).transpose(0, 1).unsqueeze(0);
    };
    out.push_back(at::scaled_dot_product_attention(part(q), part(k), part(v), {}, 0,
                                                   /*is_causal=*/true, {}, groups)
                      .squeeze(0)
                      .transpose(0, 1));
  }
  return out.size() == 1 ? out[0] : at::cat(out, 0);
}

LossResult cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                         const at::Tensor& targets, double scale, int64_t chunk,
                         const TableFactors& factors, const LossRules& rules) {
  require(!rules.weights.defined() || rules.weights.size(0) == hidden.size(0),
          "weights of another length than the elements");
  require(chunk >= 1, "a chunk of ", chunk, " elements, must be 1 or more");
  require(
      !factors.on() || (factors.rows() == head.size(0) && factors.codebooks <= loops::kMostBooks),
      "a head of ", head.size(0), " rows, expected ", factors.rows(), " factors");
  const bool sums = hidden.is_cpu() && fused(head);
  if (factors.on() && !sums)
    return cross_entropy(hidden, written_out(factors, head), targets, scale, chunk, {}, rules);
  if (const auto* kernels = kernels_for(hidden))
    return device::cross_entropy(*kernels, hidden, head, targets, scale, chunk, rules);
  const bool rounded =
      hidden.is_cpu() && hidden.scalar_type() == at::kBFloat16 && (fused(head) || is_narrow(head));
  if (!fused(hidden) && !rounded) return plain::cross_entropy(hidden, head, targets, scale, rules);
  const bool learn = at::GradMode::is_enabled() && (hidden.requires_grad() || head.requires_grad());
  const auto out = CrossEntropy::apply(hidden, head, targets, scale, chunk, learn,
                                       head.requires_grad(), factors, rules);
  return {out[0], out[1]};
}

}  // namespace kani::train
