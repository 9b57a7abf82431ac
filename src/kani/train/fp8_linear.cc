// fp8_linear.cc - see fp8_linear.h.
#include "kani/train/fp8_linear.h"

#include <ATen/ops/_scaled_mm.h>

#include <limits>

#include "kani/train/products.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kTile = 16;  // cuBLAS wants multiples of it

// The transpose, laid out so that products read along its rows.
Fp8 turned(const Fp8& x) { return {x.numbers.t().contiguous(), x.scale}; }

class Fp8Linear : public Function<Fp8Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w) {
    const Fp8 narrow_x = to_fp8(x, at::kFloat8_e4m3fn), narrow_w = to_fp8(w, at::kFloat8_e4m3fn);
    // A quarter of what float32 would keep.
    context->save_for_backward(
        {narrow_x.numbers, narrow_x.scale, narrow_w.numbers, narrow_w.scale});
    context->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
    return fp8_product(narrow_x, narrow_w);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const Fp8 x{saved[0], saved[1]}, w{saved[2], saved[3]};
    const Fp8 dy = to_fp8(grads[0], at::kFloat8_e5m2);
    const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
    at::Tensor dx, dw;
    if (context->needs_input_grad(0)) dx = fp8_product(dy, turned(w)).to(type);
    if (context->needs_input_grad(1)) dw = fp8_product(turned(dy), turned(x));
    return {dx, dw};
  }
};

}  // namespace

Fp8 to_fp8(const at::Tensor& x, at::ScalarType type) {
  const double most = type == at::kFloat8_e4m3fn ? 448 : 57344;
  const at::Tensor wide = x.detach().to(at::kFloat);
  const at::Tensor largest = wide.numel() > 0 ? wide.abs().amax() : at::zeros({}, wide.options());
  // Of zeros alone any scale will do.
  const at::Tensor scale = (largest / most).clamp_min(std::numeric_limits<float>::min());
  return {(wide / scale).clamp(-most, most).to(type), scale};
}

at::Tensor fp8_product(const Fp8& a, const Fp8& b) {
  if (a.numbers.is_cuda())
    return at::_scaled_mm(a.numbers, b.numbers.t(), a.scale, b.scale, {}, {}, at::kFloat);
  return product(a.numbers.to(at::kFloat), b.numbers.to(at::kFloat)) * (a.scale * b.scale);
}

bool fits_fp8(const at::Tensor& x, const at::Tensor& w) {
  return !x.is_cuda() ||
         (x.size(0) % kTile == 0 && x.size(1) % kTile == 0 && w.size(0) % kTile == 0);
}

at::Tensor fp8_linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const at::Tensor y = Fp8Linear::apply(x, w);
  return bias.defined() ? y + bias : y;
}

}  // namespace kani::train
