// random_speaker.cc - speaker encoder folder with random numbers (float32, as upstream stores it).
#include <cmath>

#include "kani/base/file.h"
#include "kani/formats/safetensors.h"
#include "random_model.h"

namespace kani::tool {
namespace {

struct Spread {
  float centre = 0, half_range = 0;
};

Spread spread_of(const TensorSpec& tensor) {
  const std::string& name = tensor.name;
  if (name.ends_with("running_var") || name.ends_with("original0") ||
      name.ends_with("gru_rel_pos_const")) {
    return {1.0F, 0.2F};
  }
  if (name.ends_with("norm.weight")) return {1.0F, 0.1F};
  if (tensor.shape.size() < 2) return {0.0F, 0.05F};  // biases and running means
  uint64_t fan_in = 1;
  for (size_t i = 1; i < tensor.shape.size(); ++i) fan_in *= tensor.shape[i];
  return {0.0F, static_cast<float>(std::sqrt(3.0 / static_cast<double>(fan_in)))};
}

}  // namespace

void write_random_speaker(const std::filesystem::path& folder, const SpeakerConfig& config,
                          uint64_t seed) {
  write_file(folder / "config.json", speaker_config_json(config));
  const std::vector<TensorSpec> list = speaker_tensors(config);
  std::vector<std::vector<float>> numbers;
  std::vector<TensorToWrite> tensors;
  for (const TensorSpec& tensor : list) {
    uint64_t count = 1;
    for (const uint64_t size : tensor.shape) count *= size;
    std::vector<float>& values = numbers.emplace_back(count);
    const NamedRandom random(tensor.name, seed);
    const Spread spread = spread_of(tensor);
    for (uint64_t i = 0; i < count; ++i) {
      values[i] = spread.centre + spread.half_range * (2.0F * random.uniform(i) - 1.0F);
    }
    tensors.push_back({tensor.name, DType::kF32, tensor.shape, {}});
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    tensors[i].bytes = std::as_bytes(std::span(numbers[i]));
  write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace kani::tool
