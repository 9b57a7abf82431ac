// due_loss.cc - see due_loss.h.
#include "kani/train/due_loss.h"

#include <map>

#include "kani/base/error.h"

namespace kani::train {
namespace {

struct Rows {
  int64_t begin, end;  // of the head
  auto operator<=>(const Rows&) const = default;
};

Rows due_at(int64_t target, const TokenLayout& layout) {
  if (target >= layout.audio_end()) return {0, layout.rows};
  const int64_t size = layout.codebook_size, book = (target - layout.audio_start) / size;
  if (target < layout.audio_start || book == 0) return {0, layout.audio_start + size};
  return {layout.audio_start + book * size, layout.audio_start + (book + 1) * size};
}

}  // namespace

LossResult due_cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                             const std::vector<int64_t>& targets, double scale, int64_t chunk,
                             const TokenLayout& layout, const LossRules& rules) {
  require(head.size(0) == layout.rows, "a head of ", head.size(0), " rows, expected ", layout.rows);
  std::map<Rows, std::vector<int64_t>> places;
  for (size_t n = 0; n < targets.size(); ++n) {
    if (targets[n] != kNoTarget)
      places[due_at(targets[n], layout)].push_back(static_cast<int64_t>(n));
  }
  LossResult sum{at::zeros({}, hidden.options().dtype(at::kFloat)),
                 at::zeros({hidden.size(0)}, hidden.options().dtype(at::kFloat))};
  for (const auto& [rows, elements] : places) {
    const at::Tensor index = at::tensor(elements, at::kLong).to(hidden.device());
    std::vector<int64_t> wanted;
    for (const int64_t n : elements) wanted.push_back(targets[static_cast<size_t>(n)] - rows.begin);
    LossRules own = rules;
    if (rules.weights.defined()) own.weights = rules.weights.index_select(0, index);
    const LossResult part =
        cross_entropy(hidden.index_select(0, index), head.slice(0, rows.begin, rows.end),
                      at::tensor(wanted, at::kLong).to(hidden.device()), scale, chunk, {}, own);
    sum.loss = sum.loss + part.loss;
    sum.per_token.index_copy_(0, index, part.per_token.detach());
  }
  return sum;
}

}  // namespace kani::train
