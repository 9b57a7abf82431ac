// products.cc - see products.h.  oneDNN's inner product has no door in ATen's headers; it is
// reached by name through the dispatcher.
#include "kani/train/products.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>

namespace kani::train {
namespace {

using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             std::string_view, c10::List<std::optional<at::Scalar>>,
                             std::optional<std::string_view>);

const std::optional<c10::TypedOperatorHandle<Pointwise>>& inner_product() {
  static const auto handle = []() -> std::optional<c10::TypedOperatorHandle<Pointwise>> {
    const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!found || !found->hasKernelForDispatchKey(c10::DispatchKey::MkldnnCPU)) {
      if (!found || !found->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
    }
    return found->typed<Pointwise>();
  }();
  return handle;
}

bool has(const char* name) {
  const auto features = at::cpu::get_cpu_capabilities();
  const auto feature = features.find(name);
  return feature != features.end() && feature->second.isBool() && feature->second.toBool();
}

bool multiplies_bf16() {
  static const bool found = has("avx512_bf16") || has("amx_bf16");
  return found;
}

bool has_avx512() {
  static const bool found = has("avx512_f");
  return found;
}

bool is_plain(const at::Tensor& a, const at::Tensor& b) {
  return a.is_cpu() && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat;
}

at::Tensor bf16_product(const at::Tensor& a, const at::Tensor& b) {
  if (!multiplies_bf16() || !inner_product()) return product(a.to(at::kFloat), b.to(at::kFloat));
  return inner_product()
      ->call(a, b, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(), "")
      .to(at::kFloat);
}

}  // namespace

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  const auto is_bf16 = [](const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16 && x.numel() > 0;
  };
  if (is_bf16(a) && is_bf16(b)) return bf16_product(a, b);
  if (!is_plain(a, b) || a.numel() == 0 || b.numel() == 0 || !inner_product())
    return at::mm(a, b.t());
  return inner_product()->call(a, b, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(),
                               "");
}

at::Tensor outer_product(const at::Tensor& a, const at::Tensor& b) {
  if (is_plain(a, b) && !has_avx512()) return at::mm(a.t(), b);
  return product(a.t(), b.t());
}

void add_outer_product(const at::Tensor& a, const at::Tensor& b, at::Tensor& sum) {
  if (is_plain(a, b) && sum.scalar_type() == at::kFloat && !has_avx512()) {
    sum.addmm_(a.t(), b);
  } else {
    sum.add_(product(a.t(), b.t()));
  }
}

}  // namespace kani::train
