// codec_module.cc - see codec_module.h.
#include "kani/train/codec/codec_module.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/codec/layers.h"
#include "kani/train/codec/narrow_conv.h"

namespace kani::train {
namespace {

// How random encoders start: with PyTorch's numbers each layer more than halves what is heard, a
// latent hardly depends on the sound, and sounds of many voices are not learnt at all.
constexpr double kSpeechLevel = 0.15;  // deviation of a sound while somebody speaks
constexpr double kBranchShare = 0.4;   // of what a residual branch adds
constexpr double kLatentSize = 0.7;    // deviation of what is quantized

std::vector<int64_t> shape_of(const NanoCodecConv& conv) {
  return {conv.shape.begin(), conv.shape.end()};
}

uint64_t name_hash(std::string_view name) {  // FNV-1a
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

void check(const ParameterMap& parameters, const std::string& name,
           const std::vector<int64_t>& shape) {
  const auto found = parameters.find(name);
  require(found != parameters.end(), "parameter ", name, " is missing");
  require(found->second.sizes() == at::IntArrayRef(shape), "parameter ", name,
          " has another shape than the configuration says");
}

void check(const ParameterMap& parameters, const NanoCodecTensors& tensors) {
  for (const NanoCodecConv& conv : tensors.convs) {
    check(parameters, conv.name + ".weight_v", shape_of(conv));
    check(parameters, conv.name + ".weight_g", {shape_of(conv)[0], 1, 1});
    check(parameters, conv.name + ".bias", {static_cast<int64_t>(conv.bias)});
  }
  for (const NanoCodecAlpha& alpha : tensors.alphas)
    check(parameters, alpha.name, {1, static_cast<int64_t>(alpha.channels), 1});
}

}  // namespace

CodecModule::CodecModule(NanoCodecConfig config, const ParameterMap& parameters, at::Device device,
                         CodecKernels kernels)
    : config_(std::move(config)),
      fsq_(config_, device),
      decoder_(nanocodec_decoder_layers(config_)),
      parameters_(&parameters) {
  check(parameters, nanocodec_decoder_tensors(config_));
  const bool fast = kernels == CodecKernels::kFast && device.is_cpu();
  narrow_decoder_ =
      fast && (config_.decoder.base_channels >> config_.decoder.rates.size()) % 8 == 0;
  if (!config_.encoder.present) return;
  narrow_encoder_ = fast && config_.encoder.base_channels % 8 == 0;
  encoder_ = nanocodec_encoder_layers(config_);
  check(parameters, nanocodec_encoder_tensors(config_));
}

const at::Tensor& CodecModule::parameter(std::string_view name) const {
  return parameters_->find(name)->second;
}

at::Tensor CodecModule::weight(const NanoCodecConv& conv) const {
  return weight_norm(parameter(conv.name + ".weight_v"), parameter(conv.name + ".weight_g"));
}

const at::Tensor& CodecModule::bias(const NanoCodecConv& conv) const {
  return parameter(conv.name + ".bias");
}

at::Tensor CodecModule::snake(const at::Tensor& x, const NanoCodecAlpha& alpha) const {
  return half_snake(x, parameter(alpha.name));
}

at::Tensor CodecModule::causal(const at::Tensor& x, const NanoCodecConv& conv) const {
  return causal_conv(x, weight(conv), bias(conv), conv.dilation);
}

at::Tensor CodecModule::symmetric(const at::Tensor& x, const NanoCodecConv& conv,
                                  int64_t stride) const {
  return symmetric_conv(x, weight(conv), bias(conv), stride, conv.dilation);
}

at::Tensor CodecModule::stage(const at::Tensor& x, const NanoCodecStage& stage) const {
  const at::Tensor up =
      causal_upsample(snake(x, stage.activation), weight(stage.up), bias(stage.up));
  at::Tensor sum;
  for (const auto& branch : stage.branches) {
    at::Tensor y = up;
    for (const NanoCodecBlock& block : branch) {
      const at::Tensor inner = causal(snake(y, block.input_activation), block.input_conv);
      y = y + causal(snake(inner, block.skip_activation), block.skip_conv);
    }
    sum = sum.defined() ? sum + y : y;
  }
  return stage.branches.size() == 1 ? sum : sum / static_cast<double>(stage.branches.size());
}

at::Tensor CodecModule::stage(const at::Tensor& x, const NanoCodecEncoderStage& stage) const {
  at::Tensor sum;
  for (const auto& branch : stage.branches) {
    at::Tensor y = x;
    for (const NanoCodecEncoderBlock& block : branch)
      y = y + symmetric(leaky(symmetric(leaky(y), block.input_conv)), block.skip_conv);
    sum = sum.defined() ? sum + y : y;
  }
  if (stage.branches.size() > 1) sum = sum / static_cast<double>(stage.branches.size());
  return symmetric(leaky(sum), stage.down, static_cast<int64_t>(stage.down.shape[2]) / 2);
}

at::Tensor CodecModule::narrow_stage(const at::Tensor& x, const NanoCodecStage& stage) const {
  const at::Tensor up =
      snake_upsample(x, parameter(stage.activation.name), weight(stage.up), bias(stage.up));
  at::Tensor sum;
  for (const auto& branch : stage.branches) {
    at::Tensor y = up;
    for (const NanoCodecBlock& block : branch) {
      const at::Tensor inner =
          snake_conv(y, parameter(block.input_activation.name), weight(block.input_conv),
                     bias(block.input_conv), {}, block.input_conv.dilation);
      y = snake_conv(inner, parameter(block.skip_activation.name), weight(block.skip_conv),
                     bias(block.skip_conv), y, block.skip_conv.dilation);
    }
    sum = sum.defined() ? sum + y : y;
  }
  return stage.branches.size() == 1 ? sum : sum / static_cast<double>(stage.branches.size());
}

at::Tensor CodecModule::narrow_stage(const at::Tensor& x,
                                     const NanoCodecEncoderStage& stage) const {
  at::Tensor sum;
  for (const auto& branch : stage.branches) {
    at::Tensor y = x;
    for (const NanoCodecEncoderBlock& block : branch) {
      const at::Tensor inner = leaky_conv(y, weight(block.input_conv), bias(block.input_conv), {},
                                          block.input_conv.dilation);
      y = leaky_conv(inner, weight(block.skip_conv), bias(block.skip_conv), y,
                     block.skip_conv.dilation);
    }
    sum = sum.defined() ? sum + y : y;
  }
  if (stage.branches.size() > 1) sum = sum / static_cast<double>(stage.branches.size());
  return leaky_downsample(sum, weight(stage.down), bias(stage.down));
}

at::Tensor CodecModule::encode(const at::Tensor& sound) const {
  require(config_.encoder.present, "the codec has no encoder");
  require(sound.dim() == 2 && sound.size(1) > 0 && sound.size(1) % config_.samples_per_frame == 0,
          "sound of ", sound.size(-1), " samples, expected whole frames of ",
          config_.samples_per_frame);
  at::Tensor x;
  if (narrow_encoder_) {
    x = sound_conv(sound, weight(encoder_.pre_conv), bias(encoder_.pre_conv));
    for (const NanoCodecEncoderStage& part : encoder_.stages) x = narrow_stage(x, part);
    x = x.transpose(1, 2);
  } else {
    x = symmetric(sound.unsqueeze(1), encoder_.pre_conv);
    for (const NanoCodecEncoderStage& part : encoder_.stages) x = stage(x, part);
  }
  return symmetric(leaky(x), encoder_.post_conv);
}

int64_t CodecModule::encoder_context() const {
  // Samples before a frame's first and after it, from the last layer back to the first; a layer's
  // own steps are `step` samples apart.
  const int64_t frame = config_.samples_per_frame;
  int64_t step = frame, before = (config_.encoder.out_kernel / 2) * step, after = before;
  for (auto part = encoder_.stages.rbegin(); part != encoder_.stages.rend(); ++part) {
    const auto rate = static_cast<int64_t>(part->down.shape[2]) / 2, padding = (rate + 1) / 2;
    step /= rate;
    before += padding * step;
    after += (2 * rate - 1 - padding) * step;
    int64_t longest = 0;
    for (const auto& branch : part->branches) {
      int64_t reach = 0;
      for (const NanoCodecEncoderBlock& block : branch)
        reach +=
            static_cast<int64_t>(block.input_conv.shape[2] / 2) * (block.input_conv.dilation + 1);
      longest = std::max(longest, reach);
    }
    before += longest * step;
    after += longest * step;
  }
  before += config_.encoder.in_kernel / 2;
  after += config_.encoder.in_kernel / 2 - (frame - 1);  // the frame itself
  return (std::max(before, after) + frame - 1) / frame;
}

at::Tensor CodecModule::front(const at::Tensor& values) const {
  const at::Tensor x = causal(values, decoder_.pre_conv);
  if (!narrow_decoder_) return stage(x, decoder_.stages.front());
  return narrow_stage(x.transpose(1, 2), decoder_.stages.front()).transpose(1, 2);
}

at::Tensor CodecModule::rest(const at::Tensor& first) const {
  at::Tensor x = narrow_decoder_ ? first.transpose(1, 2) : first;
  for (size_t i = 1; i < decoder_.stages.size(); ++i)
    x = narrow_decoder_ ? narrow_stage(x, decoder_.stages[i]) : stage(x, decoder_.stages[i]);
  if (narrow_decoder_)
    return snake_to_sound(x, parameter(decoder_.post_activation.name), weight(decoder_.post_conv),
                          bias(decoder_.post_conv));
  return causal(snake(x, decoder_.post_activation), decoder_.post_conv).squeeze(1);
}

at::Tensor CodecModule::decode(const at::Tensor& values) const {
  return rest(front(values)).clamp(-1, 1);
}

at::Tensor uniform_parameter(std::string_view name, at::IntArrayRef shape, double bound,
                             uint64_t seed) {
  const at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(splitmix64(splitmix64(seed) ^ name_hash(name)));
  return (at::rand(shape, generator, at::kFloat) * 2 - 1) * bound;
}

namespace {

// Bound of the uniform numbers that keep the size of what goes through the encoder.
double encoder_bound(const NanoCodecConv& conv) {
  const double inputs = static_cast<double>(conv.shape[1] * conv.shape[2]);
  double gain = std::sqrt(2.0);                                       // behind a leaky ReLU
  if (conv.name.ends_with("pre_conv.conv")) gain = 1 / kSpeechLevel;  // sound to size 1
  if (conv.name.find(".skip_conv") != std::string::npos) gain *= kBranchShare;
  if (conv.name.ends_with("post_conv.conv")) gain *= kLatentSize;
  return gain * std::sqrt(3.0 / inputs);
}

}  // namespace

ParameterMap random_codec(const NanoCodecConfig& config, uint64_t seed) {
  ParameterMap out;
  const auto add = [&](const NanoCodecConv& conv, double bound, double bias_bound) {
    const at::Tensor direction =
        uniform_parameter(conv.name + ".weight_v", shape_of(conv), bound, seed);
    out[conv.name + ".weight_v"] = direction;
    out[conv.name + ".weight_g"] = direction.square().sum({1, 2}, /*keepdim=*/true).sqrt();
    out[conv.name + ".bias"] =
        bias_bound == 0 ? at::zeros({static_cast<int64_t>(conv.bias)})
                        : uniform_parameter(conv.name + ".bias", {static_cast<int64_t>(conv.bias)},
                                            bias_bound, seed);
  };
  const NanoCodecTensors decoder = nanocodec_decoder_tensors(config);
  for (const NanoCodecConv& conv : decoder.convs) {
    const double bound = 1 / std::sqrt(static_cast<double>(conv.shape[1] * conv.shape[2]));
    add(conv, bound, bound);
  }
  for (const NanoCodecAlpha& alpha : decoder.alphas)
    out[alpha.name] = at::ones({1, static_cast<int64_t>(alpha.channels), 1});
  if (!config.encoder.present) return out;
  for (const NanoCodecConv& conv : nanocodec_encoder_tensors(config).convs)
    add(conv, encoder_bound(conv), 0);
  return out;
}

void deepen_decoder(NanoCodecConfig& config, ParameterMap& parameters,
                    const std::vector<int>& dilations, uint64_t seed) {
  NanoCodecConfig deeper = config;
  auto& all = deeper.decoder.resblock_dilations;
  all.insert(all.end(), dilations.begin(), dilations.end());
  // Through the reader of .nemo files, which knows what a codec may be.
  deeper = parse_nanocodec_config(nanocodec_config_yaml(deeper), "configuration");
  for (auto& [name, tensor] : random_codec(deeper, seed)) {
    if (parameters.contains(name)) continue;
    const bool last = name.find(".skip_conv.") != std::string::npos &&
                      (name.ends_with(".weight_g") || name.ends_with(".bias"));
    parameters[name] = last ? at::zeros_like(tensor) : tensor;
  }
  config = deeper;
}

bool is_codec_matrix(std::string_view name, const at::Tensor& parameter) {
  const bool ends = name.starts_with("mel_head.") || name.starts_with("analysis.out.") ||
                    name.find(".post_conv.") != std::string_view::npos;
  return !ends && parameter.dim() == 3 && parameter.size(1) > 1 &&
         (name.ends_with(".weight_v") || name.ends_with(".weight"));
}

}  // namespace kani::train
