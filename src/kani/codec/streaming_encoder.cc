// streaming_encoder.cc - the encoder's computation.  Memory and sizes: streaming_encoder_plan.cc.
// The early stages are narrow and long, the late ones wide and short: each runs on a piece that the
// second-level caches hold, and its results gather until there is a piece for the next stage.
#include "kani/codec/streaming_encoder.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"

namespace kani {

void StreamingEncoder::push(std::span<const float> samples, EncodedFrames& out) {
  const auto bad = std::find_if_not(samples.begin(), samples.end(),
                                    [](float sample) { return std::isfinite(sample); });
  if (bad != samples.end()) {
    throw Error(ErrorCode::kBadInput, "sample ",
                samples_ + static_cast<uint64_t>(bad - samples.begin()), " is NaN or infinite");
  }
  gather(samples, out);
  samples_ += samples.size();
}

void StreamingEncoder::finish(EncodedFrames& out) {
  if (samples_ == 0) throw Error(ErrorCode::kBadInput, "the recording has no samples");
  const uint64_t hop = model_->samples_per_frame();
  const std::vector<float> zeros((hop - samples_ % hop) % hop);
  gather(zeros, out);
  run_samples(/*last=*/true, out);
  reset();
}

void StreamingEncoder::gather(std::span<const float> samples, EncodedFrames& out) {
  while (!samples.empty()) {
    const size_t count = std::min(samples.size(), host_samples_.size() - gathered_samples_);
    std::copy_n(samples.begin(), count, host_samples_.data() + gathered_samples_);
    gathered_samples_ += count;
    samples = samples.subspan(count);
    if (gathered_samples_ == host_samples_.size()) run_samples(/*last=*/false, out);
  }
}

void StreamingEncoder::run_samples(bool last, EncodedFrames& out) {
  const size_t count = gathered_samples_;
  gathered_samples_ = 0;
  const Matrix in = room(pre_room_, 1, host_samples_.size());
  model_->ops().upload({host_samples_.data(), 1, count}, fresh(in, count));
  const Matrix joined = join(pre_, in, count, last);
  keep(pre_, joined, last ? 0 : std::min(joined.cols(), pre_.columns.cols()));
  feed(0, model_->pre_conv(), joined, last, out);
}

// The convolution of `in`, which starts with its history, becomes input of `stage`.
void StreamingEncoder::feed(size_t stage, const CausalConv& conv, ConstMatrix in, bool last,
                            EncodedFrames& out) {
  if (stage == stages_.size()) return emit(conv, in, last, out);
  StageState& state = stages_[stage];
  const size_t history = conv.shape.history();
  for (size_t first = 0; first + history < in.cols();) {
    const size_t count = std::min(in.cols() - history - first, state.piece - state.gathered);
    const Matrix x = state.x.cols(state.history + state.gathered, count);
    model_->ops().causal_conv(conv, in.cols(first, history + count), {.y = x});
    if (stage == 0) {
      show(x, "pre_conv");
    } else {
      show(x, "stage", stage - 1, ".down");
    }
    first += count;
    state.gathered += count;
    if (state.gathered == state.piece) run_stage(stage, /*last=*/false, out);
  }
  if (last) run_stage(stage, /*last=*/true, out);
}

// x = leaky(mean over branches of branch(x)), downsampled.  Until the recording ends a run takes
// exactly one piece.
void StreamingEncoder::run_stage(size_t stage, bool last, EncodedFrames& out) {
  SignalOps& ops = model_->ops();
  const EncoderStage& layer = model_->stages()[stage];
  StageState& state = stages_[stage];
  const Step step{state.seen, state.seen + state.gathered, last};
  size_t count = 0;
  for (size_t branch = 0; branch < layer.branches.size(); ++branch) {
    count = run_branch(stage, branch, step);
  }
  const size_t channels = layer.activation.channels, rate = layer.rate;
  show(fresh(room(mean_, channels, state.piece + state.delay), count), "stage", stage, ".res");
  const Matrix columns =
      join(state.down, room(activated_, channels, state.piece + state.delay), count, last);
  const size_t ready = columns.cols() / rate;
  const Matrix phases(state.phases, channels * rate, ready, ops.row_stride(ready));
  ops.split_phases(columns.cols(0, ready * rate), phases);
  keep(state.down, columns, last ? 0 : columns.cols() - (std::max<size_t>(ready, 1) - 1) * rate);
  if (!last) {
    ops.copy(state.x.cols(state.piece, state.history), state.x.cols(0, state.history));
  }
  state.seen = last ? 0 : step.after;
  state.gathered = 0;
  feed(stage + 1, layer.down, phases, last, out);
}

// y = x, then for each block
//   y = y + skip_conv(leaky(input_conv(leaky(y))))
// Each convolution also applies the activation that follows it, the last one adds its branch to the
// sum of those before, and the last branch divides.  A branch of short kernels looks ahead less: it
// takes x later, so that all branches make the same columns.  Returns their number; afterwards
// mean_ holds them, and activated_ once all branches have run.
size_t StreamingEncoder::run_branch(size_t stage, size_t branch, const Step& step) {
  SignalOps& ops = model_->ops();
  const EncoderStage& layer = model_->stages()[stage];
  StageState& state = stages_[stage];
  BranchState& own = state.branches[branch];
  const size_t channels = layer.activation.channels, cols = state.piece + state.delay;
  const Matrix activated = room(activated_, channels, cols);
  const Matrix inner = room(inner_, channels, cols);
  const Matrix mean = fresh(room(mean_, channels, cols), cols);
  const auto x_from = [&](uint64_t column) {
    const size_t first = static_cast<size_t>(state.history + column - step.before);
    return state.x.cols(first, state.history + state.gathered - first);
  };
  size_t count = static_cast<size_t>(step.to(own.shift) - step.from(own.shift));
  ops.half_snake(layer.activation, x_from(step.from(own.shift)).cols(0, count),
                 fresh(activated, count));
  for (size_t m = 0; m < own.blocks.size(); ++m) {
    const EncoderBlock& block = layer.branches[branch][m];
    BlockState& past = own.blocks[m];
    const Matrix sum = room(sums_[m % 2], channels, cols);  // of the block before
    const Matrix addend = m == 0 ? x_from(step.from(own.shift + own.first_delay))
                                 : join(past.sum, sum, count, step.last);
    count = convolve(block.input_conv, past.input, join(past.input, activated, count, step.last),
                     step.last, {.activation = &layer.activation, .activated = fresh(inner, cols)});
    ConvOutput result{.add = addend, .y = fresh(room(sums_[(m + 1) % 2], channels, cols), cols)};
    const bool last_block = m + 1 == own.blocks.size();
    const bool last_branch = branch + 1 == layer.branches.size();
    if (last_block) {
      result.y = mean;
      if (branch > 0) result.sum = mean;
      if (last_branch) result.divisor = static_cast<float>(layer.branches.size());
    }
    if (!last_block || last_branch) {
      result.activation = &layer.activation;
      result.activated = fresh(activated, cols);
    }
    count = convolve(block.skip_conv, past.skip, join(past.skip, inner, count, step.last),
                     step.last, result);
    if (m > 0) keep(past.sum, addend, addend.cols() - count);
  }
  return count;
}

// The last downsampling, the last convolution, the codes.
void StreamingEncoder::emit(const CausalConv& conv, ConstMatrix in, bool last, EncodedFrames& out) {
  SignalOps& ops = model_->ops();
  const size_t history = conv.shape.history(), most = most_outputs(stages_.size() - 1);
  size_t count = in.cols() > history ? in.cols() - history : 0;
  const Matrix down(down_, conv.shape.outputs, count, ops.row_stride(most));
  const Matrix activated = room(post_room_, conv.shape.outputs, most);
  ops.causal_conv(
      conv, in,
      {.y = down, .activation = &model_->post_activation(), .activated = fresh(activated, count)});
  show(down, "stage", stages_.size() - 1, ".down");
  const size_t width = model_->latent_width();
  const Matrix latent = fresh(room(latent_, width, most), most + tail_);
  count = convolve(model_->post_conv(), post_, join(post_, activated, count, last), last,
                   {.y = latent});
  show(latent.cols(0, count), "post_conv");
  const Matrix host(host_latent_.data(), width, count);
  ops.download(latent.cols(0, count), host);
  constexpr size_t kDimensions = FiniteScalarQuantizer::kDimensions;
  for (size_t t = 0; t < count; ++t) {
    for (size_t group = 0; group < model_->codebooks(); ++group) {
      FiniteScalarQuantizer::Vector z{};
      for (size_t d = 0; d < kDimensions; ++d) {
        z[d] = host.at(group * kDimensions + d, t);
        if (!std::isfinite(z[d])) {
          throw Error(ErrorCode::kBadInput, "the samples are so large that encoding overflows");
        }
        out.latent.push_back(z[d]);
      }
      out.codes.push_back(model_->quantizer().code(z));
    }
  }
}

// What the reader of a signal has before it: the columns held, then the `count` fresh ones of
// `room`, both edges repeated where they are.
Matrix StreamingEncoder::join(const Past& past, Matrix room, size_t count, bool last) const {
  SignalOps& ops = model_->ops();
  size_t held = past.held;
  if (held > 0) {
    ops.copy(past.columns.cols(0, held), room.cols(lead_ - held, held));
  } else if (count > 0) {
    held = past.left;
    for (size_t i = 1; i <= held; ++i) {
      ops.copy(room.cols(lead_, 1), room.cols(lead_ - i, 1));
    }
  }
  const size_t end = lead_ + count, right = last ? past.right : 0;
  for (size_t i = 0; i < right; ++i) ops.copy(room.cols(end - 1, 1), room.cols(end + i, 1));
  return room.cols(lead_ - held, held + count + right);
}

// The last `count` of the columns are needed again.
void StreamingEncoder::keep(Past& past, ConstMatrix columns, size_t count) const {
  model_->ops().copy(columns.cols(columns.cols() - count, count), past.columns.cols(0, count));
  past.held = count;
}

// The convolution of what join() returned.  Of the signals in `out` only the first columns are used
// and made; returns how many.
size_t StreamingEncoder::convolve(const CausalConv& conv, Past& past, ConstMatrix in, bool last,
                                  ConvOutput out) {
  const size_t history = conv.shape.history();
  const size_t count = in.cols() > history ? in.cols() - history : 0;
  if (count > 0) {
    const auto cut = [count](auto& view) {
      if (view.data() != nullptr) view = view.cols(0, count);
    };
    cut(out.add);
    cut(out.sum);
    cut(out.y);
    cut(out.activated);
    model_->ops().causal_conv(conv, in, out);
  }
  keep(past, in, last ? 0 : std::min(in.cols(), history));
  return count;
}

template <typename... Parts>
void StreamingEncoder::show(ConstMatrix values, const Parts&... name) const {
  if (!tap_ || values.cols() == 0) return;
  std::vector<float> host(values.rows() * values.cols());
  const Matrix copy(host.data(), values.rows(), values.cols());
  model_->ops().download(values, copy);
  tap_(concat(name...), copy);
}

EncodedFrames encode_recording(const NanoCodecEncoder& model, std::span<const float> samples) {
  StreamingEncoder stream(model);
  EncodedFrames out;
  stream.push(samples, out);
  stream.finish(out);
  return out;
}

}  // namespace kani
