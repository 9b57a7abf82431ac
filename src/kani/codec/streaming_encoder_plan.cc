// streaming_encoder_plan.cc - what a StreamingEncoder keeps and works in: delays, sizes, memory.
// Legend: a layer's delay is the number of columns of its input that it must see beyond a column
// before it can make it.
#include <algorithm>

#include "kani/codec/carver.h"
#include "kani/codec/streaming_encoder.h"

namespace kani {
namespace {

constexpr size_t kPieceUnit = SignalOps::kAlignment;

size_t whole_units(size_t columns) { return (columns + kPieceUnit - 1) / kPieceUnit * kPieceUnit; }

size_t delay_of(const CausalConv& conv) { return conv.shape.history() / 2; }
size_t delay_of(const EncoderBlock& block) {
  return delay_of(block.input_conv) + delay_of(block.skip_conv);
}
size_t delay_of(const EncoderBranch& branch) {
  size_t delay = 0;
  for (const EncoderBlock& block : branch) delay += delay_of(block);
  return delay;
}

}  // namespace

StreamingEncoder::StreamingEncoder(const NanoCodecEncoder& model, size_t piece_floats)
    : model_(&model) {
  plan(piece_floats);
  lay_out_state();
  lay_out_work();
}

template <typename F>
void StreamingEncoder::for_each_past(F f) {
  f(pre_);
  for (StageState& stage : stages_) {
    for (BranchState& branch : stage.branches) {
      for (BlockState& block : branch.blocks) {
        f(block.input);
        f(block.skip);
        f(block.sum);
      }
    }
    f(stage.down);
  }
  f(post_);
}

// Everything but memory.
void StreamingEncoder::plan(size_t piece_floats) {
  const auto past = [](size_t rows, size_t cols, size_t left, size_t right) {
    return Past{.columns = Matrix(nullptr, rows, cols), .left = left, .right = right};
  };
  const auto symmetric = [&past](const CausalConv& conv) {
    return past(conv.shape.inputs, conv.shape.history(), delay_of(conv), delay_of(conv));
  };
  pre_ = symmetric(model_->pre_conv());
  post_ = symmetric(model_->post_conv());
  for (const EncoderStage& layer : model_->stages()) {
    StageState& stage = stages_.emplace_back();
    const size_t channels = layer.activation.channels;
    for (const EncoderBranch& branch : layer.branches) {
      stage.delay = std::max(stage.delay, delay_of(branch));
    }
    for (const EncoderBranch& branch : layer.branches) {
      BranchState& state = stage.branches.emplace_back();
      state.shift = stage.delay - delay_of(branch);
      state.first_delay = delay_of(branch.front());
      stage.history = std::max(stage.history, state.shift + state.first_delay);
      for (const EncoderBlock& block : branch) {
        const size_t waiting = state.blocks.empty() ? 0 : delay_of(block);
        state.blocks.push_back({.input = symmetric(block.input_conv),
                                .skip = symmetric(block.skip_conv),
                                .sum = past(channels, waiting, 0, 0)});
      }
    }
    // The first window of the downsampling starts `left` columns before the signal, and its last
    // one ends r - left behind it (codec.md 3.6).
    const size_t left = (layer.rate + 1) / 2;
    stage.down = past(channels, 2 * layer.rate - 1, left, layer.rate - left);
    // At least the history, so that moving it to the front of x overlaps nothing.
    const size_t columns = piece_floats / channels / kPieceUnit * kPieceUnit;
    stage.piece = std::max({columns, whole_units(stage.history), kPieceUnit});
  }
  for_each_past([this](const Past& p) {
    lead_ = std::max(lead_, whole_units(std::max(p.columns.cols(), p.left)));
    tail_ = std::max(tail_, p.right);
  });
}

// Columns that one run of a stage makes at most.
size_t StreamingEncoder::most_outputs(size_t stage) const {
  return (stages_[stage].piece + stages_[stage].delay) / model_->stages()[stage].rate + 3;
}

void StreamingEncoder::lay_out_state() {
  SignalOps& ops = model_->ops();
  const auto carve = [&](float* memory) {
    Carver carver(memory);
    for_each_past(
        [&carver](Past& p) { p.columns = carver.take(p.columns.rows(), p.columns.cols()); });
    for (size_t i = 0; i < stages_.size(); ++i) {
      const size_t rows = model_->stages()[i].activation.channels;
      const size_t cols = stages_[i].history + stages_[i].piece;
      const size_t stride = ops.row_stride(cols);
      stages_[i].x = Matrix(carver.take(rows * stride), rows, cols, stride);
    }
    return carver.used();
  };
  state_ = ops.allocate(carve(nullptr));
  carve(state_->data());
  host_samples_.resize(stages_.front().piece);
}

void StreamingEncoder::lay_out_work() {
  SignalOps& ops = model_->ops();
  const auto floats = [&](size_t rows, size_t cols) {
    return rows * ops.row_stride(lead_ + cols + tail_);
  };
  size_t largest = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    const size_t channels = model_->stages()[i].activation.channels;
    largest = std::max(largest, floats(channels, stages_[i].piece + stages_[i].delay));
  }
  const size_t last = most_outputs(stages_.size() - 1);
  const CausalConv& post = model_->post_conv();
  const auto carve = [&](float* memory) {
    Carver carver(memory);
    pre_room_ = carver.take(floats(1, host_samples_.size()));
    for (float** signal : {&activated_, &inner_, &sums_[0], &sums_[1], &mean_}) {
      *signal = carver.take(largest);
    }
    for (size_t i = 0; i < stages_.size(); ++i) {
      const EncoderStage& layer = model_->stages()[i];
      stages_[i].phases = carver.take(layer.down.shape.inputs * ops.row_stride(most_outputs(i)));
    }
    down_ = carver.take(post.shape.inputs * ops.row_stride(last));
    post_room_ = carver.take(floats(post.shape.inputs, last));
    latent_ = carver.take(floats(post.shape.outputs, last));
    return carver.used();
  };
  work_ = ops.allocate(carve(nullptr));
  carve(work_->data());
  host_latent_.resize(post.shape.outputs * (last + tail_));
}

Matrix StreamingEncoder::room(float* data, size_t rows, size_t cols) const {
  const size_t all = lead_ + cols + tail_;
  return {data, rows, all, model_->ops().row_stride(all)};
}

void StreamingEncoder::reset() {
  for_each_past([](Past& p) { p.held = 0; });
  for (StageState& stage : stages_) stage.gathered = stage.seen = 0;
  gathered_samples_ = 0;
  samples_ = 0;
}

size_t StreamingEncoder::state_bytes() const {
  return (state_->size() + host_samples_.size()) * sizeof(float);
}
size_t StreamingEncoder::bytes() const {
  return state_bytes() + (work_->size() + host_latent_.size()) * sizeof(float);
}

}  // namespace kani
