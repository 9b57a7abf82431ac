// random_codec.cc - codec.nemo by the rule of the codec goldens, so that seed and widths reproduce
// their weights.
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/numbers.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "random_model.h"

namespace kani::tool {
namespace {

struct Range {
  double low = 0, high = 0;
};

// Gains per kind of convolution (goldens/codec/README.md): they keep the sound's level near 1.
Range gain_range(const std::string& conv, const NanoCodecConfig& config) {
  const bool decoder = conv.starts_with("audio_decoder.");
  if (conv.ends_with("pre_conv.conv")) return decoder ? Range{1.2, 2.2} : Range{3, 6};
  if (conv.ends_with("post_conv.conv")) return decoder ? Range{0.35, 0.35} : Range{1.0, 1.6};
  if (conv.find("down_sample_conv_layers.") != std::string::npos) return {0.9, 1.4};
  const std::string up = "up_sample_conv_layers.";
  if (const size_t at = conv.find(up); at != std::string::npos) {
    const int stage = std::stoi(conv.substr(at + up.size()));
    const double root = std::sqrt(config.decoder.rates.at(static_cast<size_t>(stage)) / 2.0);
    return {0.7 * root, 1.1 * root};
  }
  return conv.ends_with("input_conv.conv") ? Range{0.5, 1.0} : Range{0.3, 0.7};
}

class Weights {
 public:
  explicit Weights(uint64_t seed) : seed_(seed) {}

  void add(const std::string& name, std::vector<uint64_t> shape, Range range) {
    uint64_t count = 1;
    for (const uint64_t size : shape) count *= size;
    std::vector<float>& numbers = numbers_.emplace_back(count);
    const NamedRandom random(name, seed_);
    for (uint64_t i = 0; i < count; ++i) {
      numbers[i] = static_cast<float>(range.low + (range.high - range.low) *
                                                      static_cast<double>(random.uniform(i)));
    }
    tensors_.push_back({name, DType::kF32, std::move(shape), {}});
  }
  void add_integers(const std::string& name, std::vector<int32_t> values) {
    integers_.push_back(std::move(values));
    tensors_.push_back({name, DType::kI32, {1, integers_.back().size(), 1}, {}});
  }

  void add_conv(const NanoCodecConv& conv, const NanoCodecConfig& config) {
    add(conv.name + ".bias", {conv.bias}, {-0.1, 0.1});
    add(conv.name + ".weight_g", {conv.shape[0], 1, 1}, gain_range(conv.name, config));
    add(conv.name + ".weight_v", {conv.shape.begin(), conv.shape.end()}, {-1, 1});
  }
  void add_all(const NanoCodecTensors& list, const NanoCodecConfig& config) {
    for (const NanoCodecConv& conv : list.convs) add_conv(conv, config);
    for (const NanoCodecAlpha& alpha : list.alphas)
      add(alpha.name, {1, alpha.channels, 1}, {0.25, 3.25});
  }

  std::vector<TensorToWrite> finish() {
    size_t floats = 0, ints = 0;
    for (TensorToWrite& tensor : tensors_) {
      tensor.bytes = tensor.dtype == DType::kF32 ? std::as_bytes(std::span(numbers_[floats++]))
                                                 : std::as_bytes(std::span(integers_[ints++]));
    }
    return tensors_;
  }

 private:
  uint64_t seed_;
  std::vector<std::vector<float>> numbers_;
  std::vector<std::vector<int32_t>> integers_;
  std::vector<TensorToWrite> tensors_;
};

}  // namespace

void write_random_codec(const std::filesystem::path& file, const NanoCodecConfig& config,
                        uint64_t seed) {
  Weights weights(seed);
  weights.add_all(nanocodec_encoder_tensors(config), config);
  weights.add_all(nanocodec_decoder_tensors(config), config);
  std::vector<int32_t> base;
  int32_t product = 1;
  for (const int level : config.levels) {
    base.push_back(product);
    product *= level;
  }
  for (int g = 0; g < config.codebooks; ++g) {
    const std::string name = concat("vector_quantizer.fsqs.", g, ".");
    weights.add_integers(name + "dim_base_index", base);
    weights.add_integers(name + "num_levels", {config.levels.begin(), config.levels.end()});
  }
  write_nemo(file, nanocodec_config_yaml(config), weights.finish());
}

}  // namespace kani::tool
