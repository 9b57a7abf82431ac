// streaming_decoder.cc - the decoder's computation, one block of frames after the other.
// The early stages are wide and short, the late ones narrow and long: a block runs through stage 0
// whole, so that its weights (three quarters of all) are read from memory once for many frames, and
// the result goes through each later stage in pieces that the second-level cache holds.
#include "kani/codec/streaming_decoder.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "kani/base/error.h"
#include "kani/codec/carver.h"

namespace kani {
namespace {

// Numbers of one signal in one piece of work.  512 KB: more than the second-level caches of two
// cores keep of the four or five signals that a residual layer touches, but they come back in order
// from the third, and threads meet less often.  Where the cores are near each other nothing changes
// from 128 to 768 KB; where they are far apart 192 KB takes 8 to 11 % longer.
constexpr size_t kPieceFloats = 131072;
// Pieces are whole cache lines of columns as long as they are not shorter than one.
constexpr size_t kPieceUnit = SignalOps::kAlignment;

size_t piece_columns(size_t floats_per_column) {
  const size_t most = std::max<size_t>(1, kPieceFloats / floats_per_column);
  return most < kPieceUnit ? most : most / kPieceUnit * kPieceUnit;
}

size_t longest_history(const NanoCodecDecoder& model) {
  size_t most =
      std::max({size_t{1}, model.pre_conv().shape.history(), model.post_conv().shape.history()});
  for (const DecoderStage& stage : model.stages()) {
    for (const DecoderBranch& branch : stage.branches) {
      for (const DecoderBlock& block : branch) {
        most = std::max({most, block.input_conv.shape.history(), block.skip_conv.shape.history()});
      }
    }
  }
  return most;
}

}  // namespace

StreamingDecoder::StreamingDecoder(const NanoCodecDecoder& model)
    : model_(&model), stages_(model.stages().size()) {
  lay_out_state();
  lay_out_work();
}

void StreamingDecoder::lay_out_state() {
  const auto carve = [&](float* memory) {
    Carver carver(memory);
    const auto past_of = [&](const CausalConv& conv) {
      return carver.take(signal_rows(conv.shape.type, conv.shape.inputs), conv.shape.history());
    };
    pre_past_ = past_of(model_->pre_conv());
    for (size_t i = 0; i < stages_.size(); ++i) {
      const DecoderStage& stage = model_->stages()[i];
      stages_[i].up = carver.take(stage.activation.channels, 1);
      stages_[i].blocks.clear();
      for (const DecoderBranch& branch : stage.branches) {
        std::vector<BlockState> blocks;
        for (const DecoderBlock& block : branch) {
          blocks.push_back({past_of(block.input_conv), past_of(block.skip_conv)});
        }
        stages_[i].blocks.push_back(std::move(blocks));
      }
    }
    post_past_ = past_of(model_->post_conv());
    return carver.used();
  };
  state_ = model_->ops().allocate(carve(nullptr));
  carve(state_->data());
}

void StreamingDecoder::lay_out_work() {
  SignalOps& ops = model_->ops();
  lead_ = (longest_history(*model_) + kPieceUnit - 1) / kPieceUnit * kPieceUnit;
  // Largest rooms of any stage: signals with and without history.
  size_t with_history = 0, without = 0;
  const auto fit = [&](size_t rows, size_t cols) {
    const size_t most = std::max(rows, signal_rows(model_->precision(), rows));
    with_history = std::max(with_history, most * ops.row_stride(lead_ + cols));
    without = std::max(without, rows * ops.row_stride(cols));
  };
  for (size_t i = 0; i < stages_.size(); ++i) {
    const DecoderStage& stage = model_->stages()[i];
    stages_[i].piece = piece_columns(stage.up.outputs * stage.up.rate);
    fit(stage.activation.channels, stages_[i].piece);
    fit(stage.up.outputs, stages_[i].piece * stage.up.rate);
  }
  const size_t frames = stages_.front().piece;
  const size_t latent = model_->pre_conv().shape.inputs;
  const auto carve = [&](float* memory) {
    Carver carver(memory);
    latent_ = carver.take(latent * ops.row_stride(lead_ + frames));
    first_ = carver.take(model_->pre_conv().shape.outputs * ops.row_stride(frames));
    x_ = carver.take(without);
    y_ = carver.take(without);
    between_ = carver.take(model_->precision() == SignalType::kF32 ? 0 : without);
    activated_ = carver.take(with_history);
    inner_ = carver.take(with_history);
    for (size_t i = 0; i < stages_.size(); ++i) {
      const Upsampler& up = model_->stages()[i].up;
      stages_[i].out = carver.take(up.outputs * ops.row_stride(stages_[i].piece * up.rate));
    }
    return carver.used();
  };
  work_ = ops.allocate(carve(nullptr));
  carve(work_->data());
  host_latent_.resize(latent * frames);
}

StreamingDecoder::Room StreamingDecoder::room(float* data, size_t rows, size_t cols) const {
  return {data, rows, lead_, cols, model_->ops().row_stride(lead_ + cols)};
}

Matrix StreamingDecoder::plain(float* data, size_t rows, size_t cols) const {
  return {data, rows, cols, model_->ops().row_stride(cols)};
}

void StreamingDecoder::push(std::span<const int32_t> codes, std::span<float> samples) {
  const size_t codebooks = model_->codebooks();
  const size_t frames = codes.size() / codebooks;
  const size_t hop = model_->samples_per_frame();
  require(codes.size() == frames * codebooks, "got ", codes.size(),
          " codes, expected a multiple of ", codebooks);
  require(samples.size() == frames * hop, "got room for ", samples.size(), " samples, expected ",
          frames * hop);
  const int32_t limit = model_->quantizer().size();
  for (size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] >= 0 && codes[i] < limit) continue;
    throw Error(ErrorCode::kBadInput, "frame ", frames_ + i / codebooks, ", codebook ",
                i % codebooks, ": code ", codes[i], ", expected 0 to ", limit - 1);
  }
  const size_t most = stages_.front().piece;
  for (size_t first = 0; first < frames; first += most) {
    const size_t count = std::min(most, frames - first);
    decode_block(codes.subspan(first * codebooks, count * codebooks),
                 samples.subspan(first * hop, count * hop));
  }
  frames_ += frames;
}

std::vector<float> StreamingDecoder::push(std::span<const int32_t> codes) {
  std::vector<float> samples(codes.size() / model_->codebooks() * model_->samples_per_frame());
  push(codes, samples);
  return samples;
}

void StreamingDecoder::reset() {
  static constexpr std::array<float, 4096> kZeros{};
  for (size_t at = 0; at < state_->size(); at += kZeros.size()) {
    const size_t count = std::min(kZeros.size(), state_->size() - at);
    model_->ops().upload({kZeros.data(), 1, count}, {state_->data() + at, 1, count});
  }
  for (StageState& stage : stages_) stage.column = 0;
  frames_ = 0;
}

size_t StreamingDecoder::state_bytes() const { return state_->size() * sizeof(float); }
size_t StreamingDecoder::bytes() const { return state_bytes() + work_->size() * sizeof(float); }

void StreamingDecoder::decode_block(std::span<const int32_t> codes, std::span<float> samples) {
  const size_t codebooks = model_->codebooks();
  const size_t frames = codes.size() / codebooks;
  const CausalConv& conv = model_->pre_conv();
  const size_t latent = conv.shape.inputs;
  for (size_t i = 0; i < codes.size(); ++i) {
    const FiniteScalarQuantizer::Vector& z = model_->quantizer().vector(codes[i]);
    for (size_t d = 0; d < z.size(); ++d) {
      host_latent_[(i % codebooks * z.size() + d) * frames + i / codebooks] = z[d];
    }
  }
  const ConstMatrix host(host_latent_.data(), latent, frames);
  const Room in = room(latent_, latent, frames);
  model_->ops().upload(host, in.fresh());
  show(in.fresh(), "dequantized");
  const Matrix x = plain(first_, conv.shape.outputs, frames);
  convolve(conv, pre_past_, in, {.y = x});
  show(x, "pre_conv");
  run_from(0, x, samples);
}

// Stage `stage` and all that follow, on the columns x of its input.
void StreamingDecoder::run_from(size_t stage, ConstMatrix x, std::span<float> samples) {
  if (stage == stages_.size()) return finish(x, samples);
  const Upsampler& up = model_->stages()[stage].up;
  const size_t samples_per_column = samples.size() / x.cols();
  for (size_t first = 0; first < x.cols(); first += stages_[stage].piece) {
    const size_t count = std::min(stages_[stage].piece, x.cols() - first);
    const Matrix out = plain(stages_[stage].out, up.outputs, count * up.rate);
    run_stage(stage, x.cols(first, count), out);
    run_from(stage + 1, out,
             samples.subspan(first * samples_per_column, count * samples_per_column));
  }
}

// x = half_snake(x), upsampled;  out = mean over branches of branch(x)
void StreamingDecoder::run_stage(size_t stage, ConstMatrix x, Matrix out) {
  SignalOps& ops = model_->ops();
  const DecoderStage& layer = model_->stages()[stage];
  const Matrix past = stages_[stage].up;
  const Room in = room(activated_, layer.activation.channels, x.cols());
  ops.half_snake(layer.activation, x, in.fresh());
  show(in.fresh(), "stage", stage, ".act");
  const Matrix up = plain(x_, layer.up.outputs, out.cols());
  ops.copy(past, in.with(1).cols(0, 1));
  ops.upsample(layer.up, in.with(1), up);
  ops.copy(in.with(1).cols(x.cols(), 1), past);
  show(up, "stage", stage, ".up");
  for (size_t branch = 0; branch < layer.branches.size(); ++branch) {
    run_branch(stage, branch, up, out);
  }
  stages_[stage].column += out.cols();
  show(out, "stage", stage, ".res");
}

// y = x, then for each block
//   y = y + skip_conv(skip_activation(input_conv(input_activation(y))))
// Each convolution also applies the activation that follows it, the last one adds its branch to the
// sum of those before, and the last branch divides.
void StreamingDecoder::run_branch(size_t stage, size_t branch, ConstMatrix x, Matrix out) {
  const size_t branches = model_->stages()[stage].branches.size();
  const DecoderBranch& blocks = model_->stages()[stage].branches[branch];
  const size_t rows = signal_rows(model_->precision(), x.rows());
  const Room activated = room(activated_, rows, x.cols());
  const Room inner = room(inner_, rows, x.cols());
  const Matrix running = plain(y_, x.rows(), x.cols());
  const bool cells = model_->precision() != SignalType::kF32;
  const Matrix between = cells ? plain(between_, x.rows(), x.cols()) : Matrix{};
  const size_t first = stages_[stage].column;
  ConstMatrix y = x;
  model_->ops().half_snake(blocks.front().input_activation, x, activated.fresh());
  for (size_t m = 0; m < blocks.size(); ++m) {
    const DecoderBlock& block = blocks[m];
    const BlockState& state = stages_[stage].blocks[branch][m];
    convolve(block.input_conv, state.input, activated,
             {.y = between,
              .first = first,
              .activation = &block.skip_activation,
              .activated = inner.fresh()});
    probe(block.input_conv, activated, {.first = first}, "stage", stage, ".branch", branch,
          ".block", m, ".input_conv");
    const ConvOutput sum{.add = y, .y = running, .first = first};
    ConvOutput result = sum;
    if (m + 1 < blocks.size()) {
      result.activation = &blocks[m + 1].input_activation;
      result.activated = activated.fresh();
    } else {
      result.y = out;
      if (branch > 0) result.sum = out;
      if (branch + 1 == branches) result.divisor = static_cast<float>(branches);
    }
    convolve(block.skip_conv, state.skip, inner, result);
    if (m + 1 < blocks.size()) {
      show(running, "stage", stage, ".branch", branch, ".block", m);
      y = running;
    } else {
      probe(block.skip_conv, inner, sum, "stage", stage, ".branch", branch, ".block", m);
      probe(block.skip_conv, inner, sum, "stage", stage, ".branch", branch);
    }
  }
}

void StreamingDecoder::finish(ConstMatrix x, std::span<float> samples) {
  const Room in = room(activated_, x.rows(), x.cols());
  model_->ops().half_snake(model_->post_activation(), x, in.fresh());
  show(in.fresh(), "post_act");
  const Matrix sound = plain(x_, 1, x.cols());
  convolve(model_->post_conv(), post_past_, in, {.y = sound});
  show(sound, "post_conv");
  model_->ops().download(sound, {samples.data(), 1, samples.size()});
  for (float& sample : samples) sample = std::clamp(sample, -1.0F, 1.0F);
}

// The convolution of a signal whose earlier columns are `past`; afterwards `past` holds its last
// columns.
void StreamingDecoder::convolve(const CausalConv& conv, Matrix past, const Room& in,
                                const ConvOutput& out) {
  SignalOps& ops = model_->ops();
  const size_t history = conv.shape.history();
  const Matrix x = in.with(history);
  ops.copy(past, x.cols(0, history));
  ops.causal_conv(conv, x, out);
  ops.copy(x.cols(x.cols() - history, history), past);
}

void StreamingDecoder::set_tap(Tap tap) {
  tap_ = std::move(tap);
  size_t most = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    const Upsampler& up = model_->stages()[i].up;
    most = std::max(most, up.outputs * model_->ops().row_stride(stages_[i].piece * up.rate));
  }
  probed_ = tap_ ? model_->ops().allocate(most) : nullptr;
}

template <typename... Parts>
void StreamingDecoder::show(ConstMatrix values, const Parts&... name) const {
  if (!tap_) return;
  std::vector<float> host(values.rows() * values.cols());
  const Matrix copy(host.data(), values.rows(), values.cols());
  model_->ops().download(values, copy);
  tap_(concat(name...), copy);
}

// A result that the fused path never writes down, computed once more for the tap.
template <typename... Parts>
void StreamingDecoder::probe(const CausalConv& conv, const Room& in, const ConvOutput& result,
                             const Parts&... name) const {
  if (!tap_) return;
  const Matrix y = plain(probed_->data(), conv.shape.outputs, in.fresh().cols());
  model_->ops().causal_conv(conv, in.with(conv.shape.history()),
                            {.add = result.add, .y = y, .first = result.first});
  show(y, name...);
}

std::vector<float> decode_frames(const NanoCodecDecoder& model, std::span<const int32_t> codes) {
  return StreamingDecoder(model).push(codes);
}

}  // namespace kani
