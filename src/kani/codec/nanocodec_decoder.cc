// nanocodec_decoder.cc - lays all weights into one piece of the accelerator's memory.
#include "kani/codec/nanocodec_decoder.h"

#include "kani/codec/weight_writer.h"

namespace kani {
namespace {

// `columns` of a frame, behind the stage's upsampling.
DecoderStage write_stage(const NanoCodecStage& layers, SignalType type, size_t columns,
                         WeightWriter& writer) {
  DecoderStage stage;
  const size_t inputs = layers.up.shape[0];
  const size_t outputs = layers.up.bias;
  stage.activation = writer.activation(layers.activation, inputs);
  stage.up = writer.upsampler(layers.up);
  for (const std::vector<NanoCodecBlock>& branch : layers.branches) {
    DecoderBranch blocks;
    for (const NanoCodecBlock& block : branch) {
      blocks.push_back(
          {.input_activation = writer.activation(block.input_activation, outputs, type),
           .input_conv = writer.conv_or_split(block.input_conv, type, columns),
           .skip_activation = writer.activation(block.skip_activation, outputs, type),
           .skip_conv = writer.conv_or_split(block.skip_conv, type, columns)});
    }
    stage.branches.push_back(std::move(blocks));
  }
  return stage;
}

}  // namespace

NanoCodecDecoder::NanoCodecDecoder(const NanoCodecConfig& config, const TensorFile& file,
                                   SignalOps& ops, SignalType precision)
    : config_(config),
      quantizer_(config.levels, config.fsq_eps),
      ops_(&ops),
      precision_(ops.fast_type(precision)) {
  nanocodec_check(config, file, /*with_encoder=*/false);
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(config);
  WeightWriter writer(ops, file);
  const auto write = [&] {
    pre_conv_ = writer.conv(layers.pre_conv);
    stages_.clear();
    size_t columns = 1;  // of a frame
    for (size_t i = 0; i < layers.stages.size(); ++i) {
      columns *= static_cast<size_t>(config.decoder.rates[i]);
      stages_.push_back(write_stage(layers.stages[i], precision_, columns, writer));
    }
    post_activation_ = writer.activation(layers.post_activation, layers.post_conv.shape[1]);
    post_conv_ = writer.conv(layers.post_conv);
  };
  write();
  memory_ = ops.allocate(writer.used());
  writer.use(*memory_);
  write();
}

}  // namespace kani
