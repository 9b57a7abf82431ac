// document_attention.cc - see document_attention.h.  B documents at once, n rows of each.
#include "kani/train/document_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>

#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Documents of one length that lie side by side: rows begin … begin + count * length.
struct Stretch {
  int64_t begin, count, length;
};

std::vector<Stretch> stretches_of(const std::vector<int64_t>& starts) {
  std::vector<Stretch> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const int64_t length = starts[d + 1] - starts[d];
    if (length == 0) continue;
    if (!out.empty() && out.back().length == length) {
      ++out.back().count;
    } else {
      out.push_back({starts[d], 1, length});
    }
  }
  return out;
}

// [N, heads, ...] -> [B, heads, n, ...], a view.
at::Tensor part(const at::Tensor& x, const Stretch& s) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape[0] = s.count;
  shape.insert(shape.begin() + 1, s.length);
  return x.slice(0, s.begin, s.begin + s.count * s.length).view(shape).transpose(1, 2);
}

// Each head of k and v as often as heads of q look at it.
at::Tensor repeated(const at::Tensor& x, int64_t times) {
  return times == 1 ? x : x.repeat_interleave(times, 1);
}
at::Tensor summed(const at::Tensor& dx, int64_t times) {
  if (times == 1) return dx;
  return dx.view({dx.size(0), dx.size(1) / times, times, dx.size(2), dx.size(3)}).sum(2);
}

// Many documents: each by one thread.  Few: one after the other, their heads shared out.
template <typename Body>
void each(const std::vector<Stretch>& stretches, const Body& body) {
  const auto count = static_cast<int64_t>(stretches.size());
  const auto some = [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;
    for (int64_t i = begin; i < end; ++i) body(stretches[static_cast<size_t>(i)]);
  };
  if (count >= 2 * at::get_num_threads()) {
    at::parallel_for(0, count, 1, some);
  } else {
    some(0, count);
  }
}

class DocumentAttention : public Function<DocumentAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_any,
                            const at::Tensor& k_any, const at::Tensor& v_any,
                            const std::vector<int64_t>& starts) {
    const at::Tensor q = q_any.detach().contiguous(), k = k_any.detach().contiguous(),
                     v = v_any.detach().contiguous();
    const int64_t times = q.size(1) / k.size(1);
    at::Tensor y = at::empty_like(q);
    at::Tensor sums = at::empty({q.size(0), q.size(1)}, q.options().dtype(at::kFloat));
    each(stretches_of(starts), [&](const Stretch& s) {
      const auto [out, sum] = at::_scaled_dot_product_flash_attention_for_cpu(
          part(q, s), repeated(part(k, s), times), repeated(part(v, s), times), 0, true);
      part(y, s).copy_(out);
      part(sums, s).copy_(sum);
    });
    context->save_for_backward({q_any, k_any, v_any, y, sums});
    context->saved_data["starts"] = starts;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor q = saved[0].detach().contiguous(), k = saved[1].detach().contiguous(),
                     v = saved[2].detach().contiguous(), y = saved[3].detach(), sums = saved[4];
    const at::Tensor dy = grads[0].detach().contiguous();
    const int64_t times = q.size(1) / k.size(1);
    at::Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    each(stretches_of(context->saved_data["starts"].toIntVector()), [&](const Stretch& s) {
      const auto [of_q, of_k, of_v] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          part(dy, s), part(q, s), repeated(part(k, s), times), repeated(part(v, s), times),
          part(y, s), part(sums, s), 0, true);
      part(dq, s).copy_(of_q);
      part(dk, s).copy_(summed(of_k, times));
      part(dv, s).copy_(summed(of_v, times));
    });
    return {dq, dk, dv, {}};
  }
};

}  // namespace

at::Tensor document_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const std::vector<int64_t>& starts) {
  return DocumentAttention::apply(q, k, v, starts);
}

}  // namespace kani::train
