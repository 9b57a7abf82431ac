// narrow_conv.cc - see narrow_conv.h.
#include "kani/train/codec/narrow_conv.h"

#include <algorithm>

#include "kani/train/codec/layers.h"
#include "kani/train/codec/narrow_loops.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const float* data_of(const at::Tensor& x) { return x.const_data_ptr<float>(); }
float* room_of(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }
// Nodes take no undefined tensors: one without numbers stands for none.
bool given(const at::Tensor& x) { return x.numel() > 0; }
at::Tensor or_none(const at::Tensor& x) { return x.defined() ? x : at::empty({0}); }
const float* slopes_of(const at::Tensor& alpha) { return given(alpha) ? data_of(alpha) : nullptr; }

// act(x) with `left` and `right` rows around it, zeros or the edges again: [B, left + T + right,
// C].
at::Tensor activated(const at::Tensor& x, const at::Tensor& alpha, int64_t left, int64_t right) {
  const int64_t steps = x.size(1), channels = x.size(2);
  at::Tensor a = at::empty({x.size(0), left + steps + right, channels}, x.options());
  for (int64_t item = 0; item < x.size(0); ++item)
    loops::half_snake(data_of(x[item]), slopes_of(alpha), steps, channels, alpha.numel(),
                      room_of(a[item]) + left * channels);
  return a;
}

// From this width on a product of matrices for each tap is faster than the loops.
constexpr int64_t kWide = 64;

bool wide(const at::Tensor& packed) { return std::min(packed.size(1), packed.size(2)) >= kWide; }

// One item: y [T, O] += a [T + reach, I] by packed [K, I, O].
void convolve_item(const at::Tensor& a, const at::Tensor& packed, int64_t dilation, at::Tensor y) {
  const int64_t taps = packed.size(0), steps = y.size(0);
  if (!wide(packed))
    return loops::convolve(data_of(a), data_of(packed), steps, packed.size(1), packed.size(2), taps,
                           dilation, room_of(y));
  for (int64_t k = 0; k < taps; ++k) y.addmm_(a.narrow(0, k * dilation, steps), packed[k]);
}

// dw [K, I, O] += …
void convolve_weights_item(const at::Tensor& a, const at::Tensor& dy, int64_t dilation,
                           const at::Tensor& dw) {
  const int64_t taps = dw.size(0), steps = dy.size(0);
  if (!wide(dw))
    return loops::convolve_weights(data_of(a), data_of(dy), steps, dw.size(1), dw.size(2), taps,
                                   dilation, room_of(dw));
  for (int64_t k = 0; k < taps; ++k) {
    at::Tensor target = dw[k];
    target.addmm_(a.narrow(0, k * dilation, steps).t(), dy);
  }
}

struct InputGradient {
  at::Tensor dx, dalpha;
};
InputGradient activation_gradient(const at::Tensor& x, const at::Tensor& alpha,
                                  const at::Tensor& da) {
  InputGradient out{at::empty_like(x), {}};
  if (given(alpha)) out.dalpha = at::zeros_like(alpha);
  for (int64_t item = 0; item < x.size(0); ++item)
    loops::half_snake_backward(data_of(x[item]), slopes_of(alpha), data_of(da[item]), x.size(1),
                               x.size(2), alpha.numel(), room_of(out.dx[item]),
                               given(alpha) ? room_of(out.dalpha) : nullptr);
  return out;
}

// Causal with slopes, symmetric with edges repeated without.
class ActivatedConv : public torch::autograd::Function<ActivatedConv> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& alpha, const at::Tensor& w, const at::Tensor& b,
                            const at::Tensor& residual, int64_t dilation) {
    const at::Tensor x = x_in.contiguous();
    const int64_t steps = x.size(1), outputs = w.size(0), reach = (w.size(2) - 1) * dilation;
    const int64_t left = given(alpha) ? reach : reach / 2;
    const at::Tensor a = activated(x, alpha, left, reach - left);
    if (given(alpha)) {
      a.narrow(1, 0, left).zero_();
    } else {
      a.narrow(1, 0, left).copy_(a.narrow(1, left, 1).expand({-1, left, -1}));
      a.narrow(1, left + steps, reach - left)
          .copy_(a.narrow(1, left + steps - 1, 1).expand({-1, reach - left, -1}));
    }
    at::Tensor y = at::empty({x.size(0), steps, outputs}, x.options());
    if (given(residual)) {
      at::add_out(y, residual, b);
    } else {
      y.copy_(b);
    }
    const at::Tensor packed = w.permute({2, 1, 0}).contiguous();
    for (int64_t item = 0; item < x.size(0); ++item)
      convolve_item(a[item], packed, dilation, y[item]);
    context->save_for_backward({x, alpha, w, a});
    context->saved_data["dilation"] = dilation;
    context->saved_data["residual"] = given(residual);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list dys) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &alpha = saved[1], &w = saved[2], &a = saved[3];
    const int64_t dilation = context->saved_data["dilation"].toInt();
    const int64_t steps = x.size(1), inputs = w.size(1), outputs = w.size(0), taps = w.size(2);
    const int64_t reach = (taps - 1) * dilation, left = given(alpha) ? reach : reach / 2;
    const at::Tensor dy = dys[0].contiguous();
    // Backwards a convolution is one of the gradient with its taps turned round.
    const int64_t front = given(alpha) ? 0 : reach, rows = steps + front;
    const at::Tensor padded = at::constant_pad_nd(dy, {0, 0, front, reach});
    const at::Tensor turned = w.flip({2}).permute({2, 0, 1}).contiguous();
    at::Tensor da = at::zeros({x.size(0), rows, inputs}, x.options());
    at::Tensor dw = at::zeros({taps, inputs, outputs}, x.options());
    for (int64_t item = 0; item < x.size(0); ++item) {
      convolve_item(padded[item], turned, dilation, da[item]);
      convolve_weights_item(a[item], dy[item], dilation, dw);
    }
    if (!given(alpha)) {  // what repeated edges got belongs to the edges
      const int64_t right = reach - left;
      da.narrow(1, left, 1).add_(da.narrow(1, 0, left).sum(1, /*keepdim=*/true));
      da.narrow(1, left + steps - 1, 1)
          .add_(da.narrow(1, left + steps, right).sum(1, /*keepdim=*/true));
      da = da.narrow(1, left, steps).contiguous();
    }
    const InputGradient in = activation_gradient(x, alpha, da);
    return {in.dx,
            in.dalpha,
            dw.permute({2, 1, 0}).contiguous(),
            dy.sum(at::IntArrayRef({0, 1})),
            context->saved_data["residual"].toBool() ? dy : at::Tensor(),
            at::Tensor()};
  }
};

class SnakeUpsample : public torch::autograd::Function<SnakeUpsample> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& alpha, const at::Tensor& w, const at::Tensor& b) {
    const at::Tensor x = x_in.contiguous();
    const int64_t steps = x.size(1), outputs = b.size(0), rate = w.size(2) / 2;
    const at::Tensor a = activated(x, alpha, 0, 0);
    at::Tensor pairs = at::empty({x.size(0), steps + 1, 2 * outputs}, x.options());
    at::Tensor y = at::empty({x.size(0), steps * rate, outputs}, x.options());
    const at::Tensor wide = wide_of(w, outputs);
    for (int64_t item = 0; item < x.size(0); ++item) {
      loops::split_pairs(data_of(a[item]), steps, outputs, room_of(pairs[item]));
      loops::upsample(data_of(pairs[item]), data_of(wide), data_of(b), steps, outputs, rate,
                      room_of(y[item]));
    }
    context->save_for_backward({x, alpha, wide, pairs});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list dys) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &alpha = saved[1], &wide = saved[2], &pairs = saved[3];
    const at::Tensor dy = dys[0].contiguous();
    const int64_t steps = x.size(1), outputs = dy.size(2), rate = wide.size(0) / 2;
    at::Tensor dpairs = at::zeros_like(pairs), dwide = at::zeros_like(wide);
    at::Tensor db = at::zeros({outputs}, x.options()), da = at::empty_like(x);
    for (int64_t item = 0; item < x.size(0); ++item) {
      loops::upsample_backward(data_of(pairs[item]), data_of(wide), data_of(dy[item]), steps,
                               outputs, rate, room_of(dpairs[item]), room_of(dwide), room_of(db));
      loops::join_pairs(data_of(dpairs[item]), steps, outputs, room_of(da[item]));
    }
    const InputGradient in = activation_gradient(x, alpha, da);
    return {in.dx, in.dalpha,
            dwide.permute({2, 1, 0}).reshape({2 * outputs, 1, 2 * rate}).contiguous(), db};
  }

 private:
  // [2 O, 1, 2 r] -> [2 r, 2, O]
  static at::Tensor wide_of(const at::Tensor& w, int64_t outputs) {
    return w.view({outputs, 2, w.size(2)}).permute({2, 1, 0}).contiguous();
  }
};

class Snake : public torch::autograd::Function<Snake> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& alpha) {
    const at::Tensor x = x_in.contiguous();
    context->save_for_backward({x, alpha});
    return activated(x, alpha, 0, 0);
  }
  static variable_list backward(AutogradContext* context, variable_list dys) {
    const auto saved = context->get_saved_variables();
    const InputGradient in = activation_gradient(saved[0], saved[1], dys[0].contiguous());
    return {in.dx, in.dalpha};
  }
};

at::Tensor repeat_edges(const at::Tensor& x, int64_t left, int64_t right) {
  const int64_t steps = x.size(1);
  return at::cat({x.narrow(1, 0, 1).expand({-1, left, -1}), x,
                  x.narrow(1, steps - 1, 1).expand({-1, right, -1})},
                 1);
}

}  // namespace

at::Tensor snake_conv(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                      const at::Tensor& b, const at::Tensor& residual, int64_t dilation) {
  return ActivatedConv::apply(x, alpha, w, b, or_none(residual), dilation);
}

at::Tensor leaky_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                      const at::Tensor& residual, int64_t dilation) {
  return ActivatedConv::apply(x, or_none({}), w, b, or_none(residual), dilation);
}

at::Tensor snake_upsample(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                          const at::Tensor& b) {
  return SnakeUpsample::apply(x, alpha, w, b);
}

at::Tensor snake_to_sound(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                          const at::Tensor& b) {
  const int64_t steps = x.size(1), taps = w.size(2);
  const at::Tensor products = at::constant_pad_nd(at::matmul(Snake::apply(x, alpha), w[0]),
                                                  {0, 0, taps - 1, 0});  // [B, K - 1 + T, K]
  at::Tensor y = b;
  for (int64_t k = 0; k < taps; ++k) y = y + products.select(2, k).narrow(1, k, steps);
  return y;
}

at::Tensor sound_conv(const at::Tensor& sound, const at::Tensor& w, const at::Tensor& b) {
  const int64_t taps = w.size(2);
  const at::Tensor padded =
      repeat_edges(sound.unsqueeze(2), (taps - 1) / 2, (taps - 1) / 2).squeeze(2);
  return at::matmul(padded.unfold(1, taps, 1), w.squeeze(1).t()) + b;
}

at::Tensor leaky_downsample(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  const int64_t rate = w.size(2) / 2, steps = x.size(1) / rate, left = (rate + 1) / 2;
  // Two neighbouring pieces of r steps make a column.
  const at::Tensor pieces =
      repeat_edges(leaky(x), left, rate - left).reshape({x.size(0), steps + 1, -1});
  const at::Tensor packed = w.permute({2, 1, 0}).reshape({2, -1, w.size(0)});
  return at::matmul(pieces.narrow(1, 0, steps), packed[0]) +
         at::matmul(pieces.narrow(1, 1, steps), packed[1]) + b;
}

}  // namespace kani::train
