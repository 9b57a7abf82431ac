// lfm2_sequence.cc - the state of one utterance.
#include <algorithm>
#include <cassert>
#include <cstring>

#include "kani/base/error.h"
#include "kani/lm/lfm2_layers.h"

namespace kani {

Lfm2Sequence::Lfm2Sequence(const Lfm2& model, size_t capacity, std::span<const float> voice)
    : model_(&model), capacity_(capacity) {
  const Lfm2Config& config = model.config();
  const auto width = static_cast<size_t>(config.hidden_size);
  if (!voice.empty()) {
    if (!model.accepts_voice()) {
      throw Error(ErrorCode::kBadInput, "this model has no speaker projection and takes no voice");
    }
    if (voice.size() != static_cast<size_t>(config.speaker_emb_dim)) {
      throw Error(ErrorCode::kBadInput, "voice has ", voice.size(), " numbers, the model takes ",
                  config.speaker_emb_dim);
    }
    voice_row_.resize(width);
    model.ops_.matmul({voice.data(), 1, voice.size()}, *model.speaker_projection_,
                      {voice_row_.data(), 1, width});
  }
  const AttentionShape shape{static_cast<size_t>(config.heads),
                             static_cast<size_t>(config.kv_heads),
                             static_cast<size_t>(config.head_dim)};
  size_t convs = 0;
  for (const LayerKind kind : config.layers) {
    if (kind == LayerKind::kAttention) {
      caches_.push_back(model.ops_.make_kv_cache(shape, capacity));
    } else {
      ++convs;
    }
  }
  conv_tails_ = Buffer<float>(convs * static_cast<size_t>(config.conv_kernel - 1) * width);
  rope_.resize(caches_.size() * shape.head_dim);
}

size_t Lfm2Sequence::state_bytes() const {
  size_t bytes = conv_tails_.size() * sizeof(float);
  for (const auto& cache : caches_) bytes += cache->bytes();
  return bytes;
}

Lfm2Sequence::Mark Lfm2Sequence::mark() const {
  return {length_, {conv_tails_.span().begin(), conv_tails_.span().end()}};
}

void Lfm2Sequence::rewind(const Mark& mark) {
  assert(mark.length <= length_ && mark.conv_tails.size() == conv_tails_.size());
  length_ = mark.length;
  std::copy(mark.conv_tails.begin(), mark.conv_tails.end(), conv_tails_.data());
}

ConstMatrix Lfm2Sequence::conv_tail(int layer) const {
  const Lfm2::Layer& which = model_->layers_[static_cast<size_t>(layer)];
  assert(which.kind == LayerKind::kConv);
  const auto rows = static_cast<size_t>(model_->config().conv_kernel - 1);
  const auto width = static_cast<size_t>(model_->config().hidden_size);
  return {conv_tails_.data() + static_cast<size_t>(which.ordinal) * rows * width, rows, width};
}

Matrix Lfm2Sequence::mutable_conv_tail(int layer) {
  const ConstMatrix tail = conv_tail(layer);
  return {conv_tails_.data() + (tail.data() - conv_tails_.data()), tail.rows(), tail.cols()};
}

}  // namespace kani
