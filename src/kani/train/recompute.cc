// recompute.cc - see recompute.h.
#include "kani/train/recompute.h"

#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct HeldPart : torch::CustomClassHolder {
  explicit HeldPart(Part held) : part(std::move(held)) {}
  Part part;
};

class Recomputed : public Function<Recomputed> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::TensorList& parameters, const Part& part) {
    variable_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(saved);
    context->saved_data["part"] = c10::IValue::make_capsule(c10::make_intrusive<HeldPart>(part));
    return part(x);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const auto capsule = context->saved_data["part"].toCapsule();
    const Part& part = static_cast<const HeldPart&>(*capsule).part;
    const at::AutoGradMode enable(true);
    at::Tensor x = saved[0].detach();
    x.set_requires_grad(context->needs_input_grad(0));
    variable_list wanted;
    std::vector<size_t> places;
    for (size_t i = 0; i < saved.size(); ++i) {
      if (!context->needs_input_grad(i)) continue;
      wanted.push_back(i == 0 ? x : saved[i]);
      places.push_back(i);
    }
    const variable_list found =
        torch::autograd::grad({part(x)}, wanted, grads, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    variable_list out(saved.size() + 1);  // none for the part
    for (size_t i = 0; i < places.size(); ++i) out[places[i]] = found[i];
    return out;
  }
};

}  // namespace

at::Tensor recomputed(const Part& part, const at::Tensor& x,
                      const std::vector<at::Tensor>& parameters) {
  const at::TensorList list(parameters);
  return Recomputed::apply(x, list, part);
}

}  // namespace kani::train
