// products.cc - see products.h.  oneDNN's inner product has no door in ATen's headers; it is
// reached by name through the dispatcher.
#include "kani/train/products.h"

#include <ATen/core/dispatch/Dispatcher.h>

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

}  // namespace

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  const bool plain = a.is_cpu() && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat;
  if (!plain || a.numel() == 0 || b.numel() == 0 || !inner_product()) return at::mm(a, b.t());
  return inner_product()->call(a, b, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(),
                               "");
}

}  // namespace kani::train
