// memory_tensors.h - a TensorFile in memory, and codec models with made-up weights: for tests and
// benchmarks, no part of the engine.  The weights follow the rule of the codec goldens (tests/data/
// codec/README.md), so that models of real width need not be stored.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/formats/tensor_file.h"
#include "kani/spec/nanocodec.h"

namespace kani {

class MemoryTensors final : public TensorFile {
 public:
  void add(const std::string& name, DType dtype, std::vector<uint64_t> shape,
           std::vector<std::byte> bytes) {
    remove(name);
    bytes_.push_back(std::move(bytes));
    tensors_.push_back({name, dtype, std::move(shape), bytes_.back()});
  }
  template <typename T>
  void add(const std::string& name, DType dtype, std::vector<uint64_t> shape,
           const std::vector<T>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    add(name, dtype, std::move(shape), std::move(bytes));
  }
  void remove(const std::string& name) {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (tensors_[i].name != name) continue;
      tensors_.erase(tensors_.begin() + static_cast<ptrdiff_t>(i));
      bytes_.erase(bytes_.begin() + static_cast<ptrdiff_t>(i));
      return;
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const TensorInfo* find(std::string_view name) const override {
    for (const TensorInfo& tensor : tensors_) {
      if (tensor.name == name) return &tensor;
    }
    return nullptr;
  }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::filesystem::path& path() const override { return path_; }
  void release(const TensorInfo&) const noexcept override {}

 private:
  std::vector<TensorInfo> tensors_;
  std::vector<std::vector<std::byte>> bytes_;  // moving a vector keeps its bytes where they are
  std::map<std::string, std::string> metadata_;
  std::filesystem::path path_ = "memory";
};

/// `count` values of the tensor `name` (old-style name) by the goldens' rule, scaled to [lo, hi).
inline std::vector<float> rule_values(std::string_view name, uint64_t seed, size_t count, double lo,
                                      double hi) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  const uint64_t start = hash ^ splitmix64(seed);
  std::vector<float> out(count);
  for (size_t i = 0; i < count; ++i) {
    const double u = static_cast<double>(splitmix64(start + i) >> 40) * 0x1p-24;
    out[i] = static_cast<float>(lo + (hi - lo) * u);
  }
  return out;
}

/// Limits of a convolution's gains in the goldens' rule.
inline std::pair<double, double> rule_gain(const NanoCodecConv& conv) {
  const std::string_view name = conv.name;
  const bool decoder = name.starts_with("audio_decoder.");
  if (name.find(".input_conv.") != name.npos) return {0.5, 1.0};
  if (name.find(".skip_conv.") != name.npos) return {0.3, 0.7};
  if (name.find(".pre_conv.") != name.npos)
    return decoder ? std::pair(1.2, 2.2) : std::pair(3., 6.);
  if (name.find(".down_sample") != name.npos) return {0.9, 1.4};
  if (name.find(".post_conv.") != name.npos) {
    return decoder ? std::pair(0.35, 0.35) : std::pair(1.0, 1.6);
  }
  const double root = std::sqrt(static_cast<double>(conv.shape[2]) / 4);  // up: sqrt(r / 2)
  return {0.7 * root, 1.1 * root};
}

enum class NormSpelling { kOld, kNew };

inline void add_rule_weights(MemoryTensors& file, const NanoCodecTensors& list, uint64_t seed,
                             NormSpelling spelling) {
  const bool old_names = spelling == NormSpelling::kOld;
  for (const NanoCodecConv& conv : list.convs) {
    const std::string gain = conv.name + ".weight_g", direction = conv.name + ".weight_v";
    const std::string base = conv.name + ".parametrizations.weight.original";
    const auto [lo, hi] = rule_gain(conv);
    const auto [out, in, taps] = conv.shape;
    file.add(old_names ? gain : base + "0", DType::kF32, {out, 1, 1},
             rule_values(gain, seed, out, lo, hi));
    file.add(old_names ? direction : base + "1", DType::kF32, {out, in, taps},
             rule_values(direction, seed, out * in * taps, -1, 1));
    file.add(conv.name + ".bias", DType::kF32, {conv.bias},
             rule_values(conv.name + ".bias", seed, conv.bias, -0.1, 0.1));
  }
  for (const NanoCodecAlpha& alpha : list.alphas) {
    file.add(alpha.name, DType::kF32, {1, alpha.channels, 1},
             rule_values(alpha.name, seed, alpha.channels, 0.25, 3.25));
  }
}

/// The decoder of a model, with the quantiser's buffers.
inline MemoryTensors rule_decoder(const NanoCodecConfig& config, uint64_t seed,
                                  NormSpelling spelling = NormSpelling::kOld) {
  MemoryTensors file;
  add_rule_weights(file, nanocodec_decoder_tensors(config), seed, spelling);
  std::vector<int32_t> bases;
  int32_t base = 1;
  for (const int level : config.levels) {
    bases.push_back(base);
    base *= level;
  }
  for (int group = 0; group < config.codebooks; ++group) {
    const std::string prefix = concat("vector_quantizer.fsqs.", group, ".");
    file.add(prefix + "dim_base_index", DType::kI32, {1, 4, 1}, bases);
    file.add(prefix + "num_levels", DType::kI32, {1, 4, 1},
             std::vector<int32_t>(config.levels.begin(), config.levels.end()));
  }
  return file;
}

/// Decoder and encoder of a model that has both.
inline MemoryTensors rule_codec(const NanoCodecConfig& config, uint64_t seed,
                                NormSpelling spelling = NormSpelling::kOld) {
  MemoryTensors file = rule_decoder(config, seed, spelling);
  add_rule_weights(file, nanocodec_encoder_tensors(config), seed, spelling);
  return file;
}

/// The 0.6 kbps model that KaniTTS2 uses, the decoder alone.
inline NanoCodecConfig nanocodec_06kbps() {
  NanoCodecConfig config;
  config.sample_rate_hz = 22050;
  config.samples_per_frame = 1764;
  config.codebooks = 4;
  config.levels = {9, 8, 8, 7};
  config.decoder.present = true;
  config.decoder.rates = {7, 7, 6, 3, 2};
  config.decoder.base_channels = 864;
  return config;
}

/// The 1.89 kbps sibling.
inline NanoCodecConfig nanocodec_189kbps() {
  NanoCodecConfig config = nanocodec_06kbps();
  config.samples_per_frame = 1024;
  config.codebooks = 8;
  config.levels = {8, 7, 6, 6};
  config.decoder.rates = {8, 8, 4, 2, 2};
  return config;
}

/// The same with an encoder; 24 is the released width.
inline NanoCodecConfig with_encoder(NanoCodecConfig config, int base_channels = 24) {
  config.encoder.present = true;
  config.encoder.rates.assign(config.decoder.rates.rbegin(), config.decoder.rates.rend());
  config.encoder.base_channels = base_channels;
  config.encoder.out_kernel = 7;
  return config;
}

}  // namespace kani
