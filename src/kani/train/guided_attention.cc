// guided_attention.cc - see guided_attention.h.
#include "kani/train/guided_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kani/base/error.h"

namespace kani::train {

AttentionGuide::AttentionGuide(const Lfm2Config& config, double width,
                               const std::vector<Speech>& speech)
    : width_(width), speech_(speech), costs_(speech.size()) {
  for (size_t i = 0; i < config.layers.size(); ++i) {
    if (config.layers[i] == LayerKind::kAttention) layers_.push_back(static_cast<int>(i));
  }
  require(layers_.size() >= 2, "guided_attention_weight: the model has ", layers_.size(),
          " attention layers, those from the second on are guided");
  layers_.erase(layers_.begin());
}

bool AttentionGuide::guides(int layer) const {
  return std::find(layers_.begin(), layers_.end(), layer) != layers_.end();
}

int64_t AttentionGuide::positions(const std::vector<Speech>& speech) {
  int64_t sum = 0;
  for (const Speech& s : speech) sum += s.end - s.begin;
  return sum;
}

// The same for all layers of a pass.
const at::Tensor& AttentionGuide::costs(size_t document, const at::Tensor& like) {
  at::Tensor& out = costs_[document];
  if (out.defined()) return out;
  const Speech& s = speech_[document];
  const int64_t rows = s.end - s.begin, text = s.text_end - s.text_begin;
  const auto numbers = like.options().requires_grad(false);
  // The middle of each element, of the text's and of the speech's length.
  const at::Tensor spoken = ((at::arange(rows, numbers) + 0.5) / static_cast<double>(rows));
  const at::Tensor written = ((at::arange(text, numbers) + 0.5) / static_cast<double>(text));
  const at::Tensor off = (spoken.unsqueeze(1) - written.unsqueeze(0)) / width_;
  out = at::full({rows, s.end - s.start}, kElsewhere, numbers);
  out.slice(1, s.text_begin - s.start, s.text_end - s.start).copy_(1 - (off.square() * -0.5).exp());
  return out;
}

void AttentionGuide::look_at(const at::Tensor& q, const at::Tensor& k) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2)));
  const at::Tensor queries = q.select(1, 0), keys = k.select(1, 0);
  for (size_t d = 0; d < speech_.size(); ++d) {
    const Speech& s = speech_[d];
    if (s.begin == s.end || s.text_begin == s.text_end) continue;
    const at::Tensor& cost = costs(d, q);
    const at::Tensor scores =
        at::mm(queries.slice(0, s.begin, s.end) * scale, keys.slice(0, s.start, s.end).t());
    const at::Tensor future = at::ones_like(scores, at::kBool).triu(s.begin - s.start + 1);
    const at::Tensor weights =
        at::softmax(scores.masked_fill(future, -std::numeric_limits<double>::infinity()), -1);
    const at::Tensor sum = (weights * cost).sum() / static_cast<double>(layers_.size());
    penalty_ = penalty_.defined() ? penalty_ + sum : sum;
  }
}

}  // namespace kani::train
