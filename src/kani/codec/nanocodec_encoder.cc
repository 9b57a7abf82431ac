// nanocodec_encoder.cc - lays all weights into one piece of the accelerator's memory.
#include "kani/codec/nanocodec_encoder.h"

#include "kani/codec/weight_writer.h"

namespace kani {
namespace {

EncoderStage write_stage(const NanoCodecEncoderStage& layers, WeightWriter& writer) {
  EncoderStage stage;
  for (const std::vector<NanoCodecEncoderBlock>& branch : layers.branches) {
    EncoderBranch blocks;
    for (const NanoCodecEncoderBlock& block : branch) {
      blocks.push_back({writer.conv(block.input_conv), writer.conv(block.skip_conv)});
    }
    stage.branches.push_back(std::move(blocks));
  }
  stage.activation = {.channels = layers.down.shape[1]};
  stage.down = writer.strided_conv(layers.down);
  stage.rate = layers.down.shape[2] / 2;
  return stage;
}

}  // namespace

NanoCodecEncoder::NanoCodecEncoder(const NanoCodecConfig& config, const TensorFile& file,
                                   SignalOps& ops)
    : config_(config), quantizer_(config.levels, config.fsq_eps), ops_(&ops) {
  nanocodec_check(config, file, /*with_encoder=*/true);
  const NanoCodecEncoderLayers layers = nanocodec_encoder_layers(config);
  WeightWriter writer(ops, file);
  const auto write = [&] {
    pre_conv_ = writer.conv(layers.pre_conv);
    stages_.clear();
    for (const NanoCodecEncoderStage& stage : layers.stages) {
      stages_.push_back(write_stage(stage, writer));
    }
    post_activation_ = {.channels = layers.post_conv.shape[1]};
    post_conv_ = writer.conv(layers.post_conv);
  };
  write();
  memory_ = ops.allocate(writer.used());
  writer.use(*memory_);
  write();
}

}  // namespace kani
