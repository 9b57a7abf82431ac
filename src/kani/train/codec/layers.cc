// layers.cc - see layers.h.
#include "kani/train/codec/layers.h"

#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

constexpr double kLeak = 0.01;
constexpr double kSnakeEpsilon = 1e-9;
constexpr int64_t kNoPadding = 0;

// A node of its own: autograd would keep five tensors of the size of x.
class HalfSnake : public torch::autograd::Function<HalfSnake> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& alpha) {
    context->save_for_backward({x, alpha});
    const int64_t snakes = alpha.size(1);
    const at::Tensor head = x.narrow(1, 0, snakes);
    at::Tensor y = at::empty_like(x);
    at::Tensor wave = y.narrow(1, 0, snakes);
    at::mul_out(wave, head, alpha);
    wave.sin_().square_().mul_((alpha + kSnakeEpsilon).reciprocal()).add_(head);
    at::Tensor tail = y.narrow(1, snakes, x.size(1) - snakes);
    at::leaky_relu_out(tail, x.narrow(1, snakes, x.size(1) - snakes), kLeak);
    return y;
  }

  // y = x + sin(a x)^2 / a:  dy/dx = 1 + sin(2 a x),  dy/da = (x sin(2 a x) - sin(a x)^2 / a) / a
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list dys) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &alpha = saved[1], dy = dys[0];
    const int64_t snakes = alpha.size(1), rest = x.size(1) - snakes;
    const at::Tensor head = x.narrow(1, 0, snakes), dhead = dy.narrow(1, 0, snakes);
    const at::Tensor inverse = (alpha + kSnakeEpsilon).reciprocal();
    const at::Tensor twice = (head * (2 * alpha)).sin_();
    at::Tensor dalpha;
    if (context->needs_input_grad(1)) {
      at::Tensor slope = (head * alpha).sin_().square_().mul_(inverse).neg_();
      slope.addcmul_(head, twice).mul_(dhead);
      dalpha = slope.sum(at::IntArrayRef({0, 2}), /*keepdim=*/true).mul_(inverse);
    }
    at::Tensor dx = at::empty_like(x);
    at::Tensor dx_head = dx.narrow(1, 0, snakes), dx_tail = dx.narrow(1, snakes, rest);
    at::addcmul_out(dx_head, dhead, dhead, twice.mul_(alpha * inverse));
    dx_tail.copy_(at::leaky_relu_backward(dy.narrow(1, snakes, rest), x.narrow(1, snakes, rest),
                                          kLeak, /*self_is_result=*/false));
    return {dx, dalpha};
  }
};

// Not replication_pad1d, whose gradient has no fixed order of sums on GPUs.
at::Tensor repeat_edges(const at::Tensor& x, int64_t count) {
  if (count == 0) return x;
  const int64_t last = x.size(2) - 1;
  return at::cat(
      {x.narrow(2, 0, 1).expand({-1, -1, count}), x, x.narrow(2, last, 1).expand({-1, -1, count})},
      2);
}

}  // namespace

at::Tensor weight_norm(const at::Tensor& direction, const at::Tensor& gain) {
  return direction * (gain / direction.square().sum({1, 2}, /*keepdim=*/true).sqrt());
}

at::Tensor half_snake(const at::Tensor& x, const at::Tensor& alpha) {
  return HalfSnake::apply(x, alpha);
}

at::Tensor leaky(const at::Tensor& x) { return at::leaky_relu(x, kLeak); }

at::Tensor causal_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                       int64_t dilation) {
  return at::conv1d(at::constant_pad_nd(x, {(w.size(2) - 1) * dilation, 0}), w, b, 1, kNoPadding,
                    dilation);
}

at::Tensor causal_upsample(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  const int64_t rate = w.size(2) / 2;
  const at::Tensor all = at::conv_transpose1d(x, w, b, rate, 0, 0, /*groups=*/b.size(0));
  return all.narrow(2, 0, x.size(2) * rate);
}

at::Tensor symmetric_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                          int64_t stride, int64_t dilation) {
  const int64_t kernel = w.size(2);
  const int64_t padding = stride > 1 ? (stride + 1) / 2 : (kernel - 1) * dilation / 2;
  return at::conv1d(repeat_edges(x, padding), w, b, stride, kNoPadding, dilation);
}

}  // namespace kani::train
