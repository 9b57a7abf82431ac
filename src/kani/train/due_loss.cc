// due_loss.cc - see due_loss.h.
#include "kani/train/due_loss.h"

#include <map>

#include "kani/base/error.h"
#include "kani/train/narrow_weights.h"

namespace kani::train {
namespace {

// Rows of the head: a stretch, and perhaps the end of speech behind it.
struct Rows {
  int64_t begin, end;
  bool ends;
  auto operator<=>(const Rows&) const = default;
};

Rows due_at(int64_t target, const TokenLayout& layout) {
  const bool ends = target == layout.end_of_speech;
  const auto id = static_cast<int32_t>(target);
  if (!ends && !layout.is_audio(id)) return {0, layout.rows, false};
  const int book = ends ? 0 : (id - layout.audio_start) / layout.codebook_size;
  return {layout.audio_id(book, 0), layout.audio_id(book + 1, 0), book == 0};
}

at::Tensor rows_of(const at::Tensor& head, const Rows& rows, const TokenLayout& layout) {
  const at::Tensor stretch = head.slice(0, rows.begin, rows.end);
  if (!rows.ends) return stretch;
  return at::cat({stretch, head.slice(0, layout.end_of_speech, layout.end_of_speech + 1)}, 0);
}

// The target's place among them.
int64_t place_in(const Rows& rows, int64_t target, const TokenLayout& layout) {
  return rows.ends && target == layout.end_of_speech ? rows.end - rows.begin : target - rows.begin;
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
  const at::Tensor table = widened(head);  // stretches of bf16 would round their gradients
  LossResult sum{at::zeros({}, hidden.options().dtype(at::kFloat)),
                 at::zeros({hidden.size(0)}, hidden.options().dtype(at::kFloat))};
  for (const auto& [rows, elements] : places) {
    const at::Tensor index = at::tensor(elements, at::kLong).to(hidden.device());
    std::vector<int64_t> wanted;
    for (const int64_t n : elements)
      wanted.push_back(place_in(rows, targets[static_cast<size_t>(n)], layout));
    LossRules own = rules;
    if (rules.weights.defined()) own.weights = rules.weights.index_select(0, index);
    const LossResult part =
        cross_entropy(hidden.index_select(0, index), rows_of(table, rows, layout),
                      at::tensor(wanted, at::kLong).to(hidden.device()), scale, chunk, {}, own);
    sum.loss = sum.loss + part.loss;
    sum.per_token.index_copy_(0, index, part.per_token.detach());
  }
  return sum;
}

}  // namespace kani::train
