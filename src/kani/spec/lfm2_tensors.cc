// lfm2_tensors.cc - the one list of tensors of an LFM2 speech model, and a file held against it.
// Source: language-model.md 2.2, 2.3, 7.4.  Not here: conversion of the numbers, anything computed
// from them.
#include <algorithm>
#include <cstring>
#include <limits>

#include "kani/base/log.h"
#include "kani/formats/stored_matrix.h"
#include "kani/spec/lfm2.h"

namespace kani {
namespace {

constexpr std::string_view kEmbedding = "model.embed_tokens.weight";
constexpr std::string_view kHead = "lm_head.weight";
constexpr std::string_view kVoice = "model.speaker_emb_projection.weight";
constexpr std::string_view kLayers = "model.layers.";
constexpr std::string_view kRopePrefix = "model.learnable_rope_layers.";

/// Collects the list; sizes are those of the configuration as unsigned numbers.
class ListBuilder {
 public:
  explicit ListBuilder(const Lfm2Config& config) : config_(config) {}

  std::vector<TensorSpec> build() {
    const uint64_t vocabulary = size(config_.vocab_size);
    const bool embedding_is_head = config_.tie_embedding && !config_.separate_head;
    add({std::string(kEmbedding), {vocabulary, hidden_}, false, embedding_is_head});
    add({"model.embedding_norm.weight", {hidden_}});
    add({std::string(kVoice), {hidden_, size(config_.speaker_emb_dim)}, /*optional=*/true});
    add({std::string(kHead),
         {vocabulary, hidden_},
         /*optional=*/config_.tie_embedding,
         /*matrix=*/true});
    for (size_t i = 0; i < config_.layers.size(); ++i) layer(i);
    std::sort(list_.begin(), list_.end(),
              [](const TensorSpec& a, const TensorSpec& b) { return a.name < b.name; });
    return std::move(list_);
  }

 private:
  static uint64_t size(int value) { return static_cast<uint64_t>(value); }
  void add(TensorSpec spec) { list_.push_back(std::move(spec)); }
  void matrix(std::string name, uint64_t rows, uint64_t cols) {
    add({std::move(name), {rows, cols}, /*optional=*/false, /*matrix=*/true});
  }

  void layer(size_t index) {
    const std::string base = concat("model.layers.", index, ".");
    const uint64_t inner = size(config_.intermediate_size);
    add({base + "operator_norm.weight", {hidden_}});
    add({base + "ffn_norm.weight", {hidden_}});
    matrix(base + "feed_forward.w1.weight", inner, hidden_);
    matrix(base + "feed_forward.w3.weight", inner, hidden_);
    matrix(base + "feed_forward.w2.weight", hidden_, inner);
    if (config_.layers[index] == LayerKind::kConv) {
      convolution(base + "conv.");
    } else {
      attention(base + "self_attn.");
      if (config_.use_learnable_rope.value_or(true)) {
        add({concat(kRopePrefix, index, ".alpha_weight"),
             {},
             /*optional=*/!config_.use_learnable_rope});
      }
    }
  }

  void convolution(const std::string& base) {
    matrix(base + "in_proj.weight", 3 * hidden_, hidden_);
    add({base + "conv.weight", {hidden_, 1, size(config_.conv_kernel)}});
    matrix(base + "out_proj.weight", hidden_, hidden_);
    if (!config_.conv_bias) return;
    add({base + "in_proj.bias", {3 * hidden_}});
    add({base + "conv.bias", {hidden_}});
    add({base + "out_proj.bias", {hidden_}});
  }

  void attention(const std::string& base) {
    const uint64_t head = size(config_.head_dim);
    const uint64_t queries = size(config_.heads) * head;
    const uint64_t keys = size(config_.kv_heads) * head;
    matrix(base + "q_proj.weight", queries, hidden_);
    matrix(base + "k_proj.weight", keys, hidden_);
    matrix(base + "v_proj.weight", keys, hidden_);
    matrix(base + "out_proj.weight", hidden_, queries);
    add({base + "q_layernorm.weight", {head}});
    add({base + "k_layernorm.weight", {head}});
  }

  const Lfm2Config& config_;
  uint64_t hidden_ = size(config_.hidden_size);
  std::vector<TensorSpec> list_;
};

/// Learnable RoPE is on if the configuration says so; if it says nothing, exactly when the file
/// holds the factors.
void settle_rope(Lfm2Config& config, const TensorFile& file) {
  const auto& tensors = file.tensors();
  const bool stored = std::any_of(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
    return std::string_view(tensor.name).starts_with(kRopePrefix);
  });
  if (!config.use_learnable_rope) {
    config.use_learnable_rope = stored;
    log_info("spec", file.path(), ": config has no use_learnable_rope, assumed ", stored, ", as ",
             kRopePrefix, "* ", stored ? "are" : "are not", " in the file");
  } else if (stored && !*config.use_learnable_rope) {
    log_warning("spec", file.path(), ": ", kRopePrefix,
                "* are in the file but use_learnable_rope is false; ignored");
  }
}

/// Where the size rule and every stored matrix disagree there is one fault, not three a layer.
void check_feed_forward(const Lfm2Config& config, const TensorFile& file) {
  const TensorInfo* w1 = file.find("model.layers.0.feed_forward.w1.weight");
  const auto expected = static_cast<uint64_t>(config.intermediate_size);
  if (!w1 || w1->shape.size() != 2 || w1->shape[0] == expected) return;
  throw Error(ErrorCode::kBadInput, file.path(), ": ", w1->name, " has ", w1->shape[0],
              " rows, but the size rule of config.json gives ", expected)
      .with_hint(
          "check intermediate_size (or block_ff_dim), block_auto_adjust_ff_dim, "
          "block_ffn_dim_multiplier and "
          "block_multiple_of");
}

/// A stored head that equals the embedding byte for byte is the same matrix written twice (2.3).
void settle_head(Lfm2Config& config, const TensorFile& file) {
  const TensorInfo* head = file.find(kHead);
  const TensorInfo* embedding = file.find(kEmbedding);
  config.separate_head = false;
  if (!head) return;
  const bool equal =
      head->dtype == embedding->dtype && head->bytes.size() == embedding->bytes.size() &&
      std::memcmp(head->bytes.data(), embedding->bytes.data(), head->bytes.size()) == 0;
  config.separate_head = !equal;
  log_trace(
      "spec", file.path(), ": ", kHead,
      equal ? " equals the embedding, kept once" : " differs from the embedding, used as the head");
  file.release(*head);
}

/// Tensors of layers that are stored as matrices of 8 or 4 bits are not asked for.
void leave_out_stored(std::vector<TensorSpec>& specs) {
  std::erase_if(specs, [](const TensorSpec& spec) {
    return spec.matrix && std::string_view(spec.name).starts_with(kLayers);
  });
}

void check_stored(const Lfm2Config& config, const TensorFile& file) {
  NameList missing;
  for (size_t layer = 0; layer < config.layers.size(); ++layer) {
    for (const Lfm2Matrix& matrix : lfm2_layer_matrices(config, layer)) {
      if (!find_stored(file, matrix.name, matrix.rows, matrix.cols)) missing.add(matrix.name);
    }
  }
  for (int slot = 0; slot < config.tokens_per_frame; ++slot) {
    const Lfm2Matrix head = lfm2_head_matrix(config, slot);
    find_stored(file, head.name, head.rows, head.cols);  // may be absent
  }
  if (missing.count() == 0) return;
  throw Error(ErrorCode::kBadInput, file.path(), ": missing stored matrices: ", missing.text());
}

}  // namespace

std::vector<Lfm2Matrix> lfm2_layer_matrices(const Lfm2Config& config, size_t layer) {
  const std::string base = concat(kLayers, layer, ".");
  const auto hidden = static_cast<uint64_t>(config.hidden_size);
  const auto inner = static_cast<uint64_t>(config.intermediate_size);
  const auto head = static_cast<uint64_t>(config.head_dim);
  const uint64_t queries = static_cast<uint64_t>(config.heads) * head;
  const uint64_t keys = static_cast<uint64_t>(config.kv_heads) * head;
  std::vector<Lfm2Matrix> list;
  const auto add = [&](const char* name, std::initializer_list<const char*> tensors, uint64_t rows,
                       uint64_t cols) {
    Lfm2Matrix matrix{base + name, {}, rows, cols};
    for (const char* tensor : tensors) matrix.tensors.push_back(concat(base, tensor, ".weight"));
    list.push_back(std::move(matrix));
  };
  if (config.layers[layer] == LayerKind::kConv) {
    add("conv.in_proj", {"conv.in_proj"}, 3 * hidden, hidden);
    add("conv.out_proj", {"conv.out_proj"}, hidden, hidden);
  } else {
    add("self_attn.qkv_proj", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
        queries + 2 * keys, hidden);
    add("self_attn.out_proj", {"self_attn.out_proj"}, hidden, queries);
  }
  add("feed_forward.w13", {"feed_forward.w1", "feed_forward.w3"}, 2 * inner, hidden);
  add("feed_forward.w2", {"feed_forward.w2"}, hidden, inner);
  return list;
}

Lfm2Matrix lfm2_head_matrix(const Lfm2Config& config, int slot) {
  return {concat("lm_head.", slot),
          {},
          static_cast<uint64_t>(config.codebook_size()) + (slot == 0 ? 1 : 0),
          static_cast<uint64_t>(config.hidden_size)};
}

std::vector<TensorSpec> lfm2_tensors(const Lfm2Config& config) {
  return ListBuilder(config).build();
}

uint64_t lfm2_parameters(const Lfm2Config& config) {
  constexpr uint64_t kTooMany = std::numeric_limits<uint64_t>::max();
  uint64_t total = 0;
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    uint64_t count = spec.optional ? 0 : 1;
    for (const uint64_t size : spec.shape) count = checked_mul(count, size).value_or(kTooMany);
    total = checked_add(total, count).value_or(kTooMany);
  }
  return total;
}

void lfm2_resolve(Lfm2Config& config, const TensorFile& file) {
  const std::string source = file.path().string();
  validate(config, source);
  settle_rope(config, file);
  validate(config, source);  // again: learnable RoPE has a rule of its own
  check_feed_forward(config, file);
  std::vector<TensorSpec> specs = lfm2_tensors(config);
  config.stored_type = stored_type(file);
  const bool stored = !config.stored_type.empty();
  if (stored) leave_out_stored(specs);
  check_tensor_list(specs, file);
  if (stored) check_stored(config, file);
  warn_of_strangers(specs, file, [&](std::string_view name) {
    return (!*config.use_learnable_rope && name.starts_with(kRopePrefix)) ||
           (stored && (name.ends_with(".q8") || name.ends_with(".q4")));
  });
  settle_head(config, file);
  config.accepts_voice = file.find(kVoice) != nullptr;
  log_trace("spec", source, ": audio step ", config.audio_step, ", learnable rope ",
            *config.use_learnable_rope
                ? concat("on, factor ", config.alpha_min, " to ", config.alpha_max)
                : "off",
            ", rope base ", config.rope_theta, ", ", config.codebook_size(), " codes a codebook, ",
            config.accepts_voice ? concat("voices of ", config.speaker_emb_dim, " numbers")
                                 : "no voices");
}

}  // namespace kani
