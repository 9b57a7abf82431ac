// nanocodec_decoder.cc - lays all weights into one piece of the accelerator's memory.
#include "kani/codec/nanocodec_decoder.h"

#include <cassert>

namespace kani {
namespace {

ConvShape conv_shape(const NanoCodecConv& conv) {
  return {.inputs = conv.shape[1],
          .outputs = conv.shape[0],
          .taps = conv.shape[2],
          .dilation = static_cast<size_t>(conv.dilation)};
}

size_t aligned(size_t floats) {
  return (floats + SignalOps::kAlignment - 1) / SignalOps::kAlignment * SignalOps::kAlignment;
}

// Walks the layers in the order of computation.  Without memory it only adds up sizes; with it, it
// reads the file.  One walk for both, so that they cannot disagree.
class WeightWriter {
 public:
  WeightWriter(SignalOps& ops, const TensorFile& file) : ops_(ops), file_(file) {}

  void use(SignalMemory& memory) {
    assert(memory.size() == used_);
    memory_ = memory.data();
    used_ = 0;
  }
  size_t used() const { return used_; }

  CausalConv conv(const NanoCodecConv& layer) {
    CausalConv out{.shape = conv_shape(layer)};
    float* packed = take(ops_.packed_size(out.shape));
    if (packed == nullptr) return out;
    const FoldedConv folded = fold_weight_norm(layer, file_);
    ops_.pack_conv(out.shape, folded.weight, folded.bias, packed);
    out.packed = packed;
    return out;
  }

  Upsampler upsampler(const NanoCodecConv& layer) {
    Upsampler out{.outputs = layer.bias, .rate = layer.shape[2] / 2};
    float* weight = take(layer.shape[0] * layer.shape[2]);
    float* bias = take(layer.bias);
    if (weight == nullptr) return out;
    const FoldedConv folded = fold_weight_norm(layer, file_);
    put(folded.weight, weight);
    put(folded.bias, bias);
    out.weight = weight;
    out.bias = bias;
    return out;
  }

  HalfSnake activation(const NanoCodecAlpha& slopes, size_t channels) {
    HalfSnake out{.channels = channels};
    float* alpha = take(slopes.channels);
    float* inverse = take(slopes.channels);
    if (alpha == nullptr) return out;
    const std::vector<float> values = read_alpha(slopes, file_);
    std::vector<float> inverses;
    for (const float value : values) inverses.push_back(1.0F / (value + 1e-9F));
    put(values, alpha);
    put(inverses, inverse);
    out.alpha = alpha;
    out.inverse = inverse;
    return out;
  }

 private:
  float* take(size_t floats) {
    float* at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += aligned(floats);
    return at;
  }
  void put(const std::vector<float>& values, float* to) {
    ops_.upload({values.data(), 1, values.size()}, {to, 1, values.size()});
  }

  SignalOps& ops_;
  const TensorFile& file_;
  float* memory_ = nullptr;
  size_t used_ = 0;
};

DecoderStage write_stage(const NanoCodecStage& layers, WeightWriter& writer) {
  DecoderStage stage;
  const size_t inputs = layers.up.shape[0];
  const size_t outputs = layers.up.bias;
  stage.activation = writer.activation(layers.activation, inputs);
  stage.up = writer.upsampler(layers.up);
  for (const std::vector<NanoCodecBlock>& branch : layers.branches) {
    DecoderBranch blocks;
    for (const NanoCodecBlock& block : branch) {
      blocks.push_back({.input_activation = writer.activation(block.input_activation, outputs),
                        .input_conv = writer.conv(block.input_conv),
                        .skip_activation = writer.activation(block.skip_activation, outputs),
                        .skip_conv = writer.conv(block.skip_conv)});
    }
    stage.branches.push_back(std::move(blocks));
  }
  return stage;
}

}  // namespace

NanoCodecDecoder::NanoCodecDecoder(const NanoCodecConfig& config, const TensorFile& file,
                                   SignalOps& ops)
    : config_(config), quantizer_(config.levels, config.fsq_eps), ops_(&ops) {
  nanocodec_check(config, file, /*with_encoder=*/false);
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(config);
  WeightWriter writer(ops, file);
  const auto write = [&] {
    pre_conv_ = writer.conv(layers.pre_conv);
    stages_.clear();
    for (const NanoCodecStage& stage : layers.stages) stages_.push_back(write_stage(stage, writer));
    post_activation_ = writer.activation(layers.post_activation, layers.post_conv.shape[1]);
    post_conv_ = writer.conv(layers.post_conv);
  };
  write();
  memory_ = ops.allocate(writer.used());
  writer.use(*memory_);
  write();
}

}  // namespace kani
