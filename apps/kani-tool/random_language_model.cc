// random_language_model.cc - config.json, generation_config.json, model.safetensors (bf16) with
// random numbers.
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/numbers.h"
#include "kani/formats/safetensors.h"
#include "random_model.h"

namespace kani::tool {
namespace {

Json config_json(const Lfm2Config& c, int text_entries) {
  std::vector<std::string> layers;
  for (const LayerKind kind : c.layers)
    layers.push_back(kind == LayerKind::kConv ? "conv" : "full_attention");
  return {{"architectures", {"KaniTTS2ForCausalLM"}},
          {"model_type", "lfm2"},
          {"vocab_size", c.vocab_size},
          {"hidden_size", c.hidden_size},
          {"num_hidden_layers", c.layers.size()},
          {"num_attention_heads", c.heads},
          {"num_key_value_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"intermediate_size", c.intermediate_size},
          {"block_ff_dim", c.intermediate_size},
          {"block_auto_adjust_ff_dim", false},
          {"norm_eps", 1e-5},
          {"rope_theta", c.rope_theta},
          {"conv_L_cache", c.conv_kernel},
          {"conv_bias", c.conv_bias},
          {"layer_types", layers},
          {"tie_word_embeddings", true},
          {"max_position_embeddings", 128000},
          {"torch_dtype", "bfloat16"},
          {"audio_tokens_start", c.audio_tokens_start},
          {"tokens_per_frame", c.tokens_per_frame},
          {"audio_step", c.audio_step},
          {"use_learnable_rope", c.use_learnable_rope.value_or(false)},
          {"alpha_min", c.alpha_min},
          {"alpha_max", c.alpha_max},
          {"speaker_emb_dim", c.speaker_emb_dim},
          {"text_vocab_size", text_entries},
          {"language_settings",
           {{"status", "no_language_tags"}, {"language_tags_list", Json::array()}}}};
}

// Uniform numbers of this centre and deviation keep activations and logits in the range of a
// trained model.
struct Spread {
  double centre = 0;
  double deviation = 0;
};

Spread spread_of(const TensorSpec& tensor, const Lfm2Config& config) {
  if (tensor.name.ends_with("norm.weight")) return {1.0, 0.1};
  if (tensor.name.ends_with("alpha_weight")) return {0.0, 1.0};
  if (tensor.name == "model.embed_tokens.weight") return {0.0, 2.0 / std::sqrt(config.hidden_size)};
  if (tensor.name.ends_with("conv.conv.weight")) return {0.0, 0.6};
  if (tensor.name.ends_with(".bias")) return {0.0, 0.02};
  return {0.0, 1.0 / std::sqrt(static_cast<double>(tensor.shape.back()))};
}

std::vector<uint16_t> random_bf16(const TensorSpec& tensor, const Spread& spread, uint64_t seed) {
  uint64_t count = 1;
  for (const uint64_t size : tensor.shape) count *= size;
  std::vector<uint16_t> numbers(count);
  const NamedRandom random(tensor.name, seed);
  const auto half_range = static_cast<float>(spread.deviation * std::sqrt(3.0));
  const auto centre = static_cast<float>(spread.centre);
  for (uint64_t i = 0; i < count; ++i) {
    numbers[i] = f32_to_bf16(centre + half_range * (2.0F * random.uniform(i) - 1.0F));
  }
  return numbers;
}

}  // namespace

void write_random_language_model(const std::filesystem::path& folder, const Preset& preset,
                                 uint64_t seed) {
  const Lfm2Config& config = preset.language_model;
  write_file(folder / "config.json", dump_json(config_json(config, preset.text_entries), 1) + "\n");
  write_file(
      folder / "generation_config.json",
      dump_json(Json({{"do_sample", true}, {"temperature", 1.0}, {"top_k", 50}, {"top_p", 0.95}}),
                1) +
          "\n");
  std::vector<std::vector<uint16_t>> numbers;
  std::vector<TensorToWrite> tensors;
  for (const TensorSpec& tensor : lfm2_tensors(config)) {
    if (tensor.name == "lm_head.weight") continue;  // tied
    numbers.push_back(random_bf16(tensor, spread_of(tensor, config), seed));
    tensors.push_back({tensor.name, DType::kBF16, tensor.shape, {}});
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    tensors[i].bytes = std::as_bytes(std::span(numbers[i]));
  write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace kani::tool
