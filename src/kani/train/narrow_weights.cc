// narrow_weights.cc - see narrow_weights.h.
#include "kani/train/narrow_weights.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;
constexpr int64_t kMostAtOnce = int64_t{1} << 22;  // numbers whose chances exist at a time
constexpr uint32_t kInfinity = 0x7F800000;

// The lower half of a number's bits is what bf16 lacks.
uint32_t chance(uint64_t key, int64_t place) {
  return static_cast<uint32_t>(splitmix64(key ^ static_cast<uint64_t>(place)) >> 48);
}

// LibTorch has no unsigned shift of 64 bits.
at::Tensor shifted_right(const at::Tensor& x, int64_t bits) {
  return at::bitwise_and(at::bitwise_right_shift(x, bits), (int64_t{1} << (64 - bits)) - 1);
}

// chance() of the places from `first` on.
at::Tensor chances(uint64_t key, int64_t first, int64_t count, at::Device device) {
  const auto constant = [](uint64_t value) { return static_cast<int64_t>(value); };
  at::Tensor z = at::arange(first, first + count, at::TensorOptions(at::kLong).device(device));
  z = at::bitwise_xor(z, constant(key)) + constant(0x9E3779B97F4A7C15);
  z = at::bitwise_xor(z, shifted_right(z, 30)) * constant(0xBF58476D1CE4E5B9);
  z = at::bitwise_xor(z, shifted_right(z, 27)) * constant(0x94D049BB133111EB);
  z = at::bitwise_xor(z, shifted_right(z, 31));
  return shifted_right(z, 48).to(at::kInt);
}

class Widened : public Function<Widened> {
 public:
  static at::Tensor forward(AutogradContext*, const at::Tensor& w) { return w.to(at::kFloat); }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0]}; }
};

class WidenedRows : public Function<WidenedRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& table,
                            const at::Tensor& ids) {
    context->save_for_backward({ids});
    context->saved_data["rows"] = table.size(0);
    return at::embedding(table, ids).to(at::kFloat);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const int64_t rows = context->saved_data["rows"].toInt();
    return {at::embedding_dense_backward(grads[0], context->get_saved_variables()[0], rows,
                                         /*padding_idx=*/-1, /*scale_grad_by_freq=*/false),
            {}};
  }
};

}  // namespace

bool may_be_narrow(std::string_view name, const at::Tensor& parameter) {
  if (parameter.dim() != 2 || name.find(".lora_") != std::string_view::npos) return false;
  return name.starts_with("model.layers.") || name == "model.embed_tokens.weight" ||
         name == "lm_head.weight" || name == "model.speaker_emb_projection.weight";
}

void narrow_weights(ParameterMap& parameters) {
  for (auto& [name, parameter] : parameters) {
    if (!may_be_narrow(name, parameter)) continue;
    const bool learns = parameter.requires_grad();
    parameter = parameter.detach().to(at::kBFloat16);
    if (!learns) continue;
    parameter.set_requires_grad(true);
    parameter.set_grad_dtype(at::kFloat);
  }
}

at::Tensor rounded_by_chance(const at::Tensor& x, uint64_t key) {
  require(x.scalar_type() == at::kFloat, "only float32 is rounded by chance");
  if (!x.is_cpu()) return rounded_by_chance_anywhere(x, key);
  const at::Tensor from = x.contiguous();
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(at::kBFloat16));
  const float* read = from.const_data_ptr<float>();
  auto* write = static_cast<c10::BFloat16*>(out.mutable_data_ptr());
  at::parallel_for(0, from.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto bits = std::bit_cast<uint32_t>(read[i]);
      const bool finite = (bits & kInfinity) != kInfinity;
      write[i] = finite ? c10::BFloat16(static_cast<uint16_t>((bits + chance(key, i)) >> 16),
                                        c10::BFloat16::from_bits())
                        : c10::BFloat16(read[i]);
    }
  });
  return out;
}

at::Tensor rounded_by_chance_anywhere(const at::Tensor& x, uint64_t key) {
  const at::Tensor flat = x.contiguous().view({-1});
  at::Tensor out = at::empty(flat.sizes(), flat.options().dtype(at::kBFloat16));
  for (int64_t first = 0; first < flat.numel(); first += kMostAtOnce) {
    const int64_t count = std::min(kMostAtOnce, flat.numel() - first);
    const at::Tensor part = flat.slice(0, first, first + count);
    const at::Tensor moved = part.view(at::kInt) + chances(key, first, count, x.device());
    const at::Tensor cut = at::bitwise_and(moved, static_cast<int64_t>(-65536)).view(at::kFloat);
    out.slice(0, first, first + count).copy_(at::where(part.isfinite(), cut, part));
  }
  return out.view(x.sizes());
}

at::Tensor widened(const at::Tensor& w) { return is_narrow(w) ? Widened::apply(w) : w; }

at::Tensor widened_rows(const at::Tensor& table, const at::Tensor& ids) {
  return is_narrow(table) ? WidenedRows::apply(table, ids) : at::embedding(table, ids);
}

}  // namespace kani::train
