// lfm2_module.cc - reads like language-model.md 6 and 7.  N elements, H hidden size, D head width.
#include "kani/train/lfm2_module.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/train/ops.h"

namespace kani::train {
namespace {

constexpr std::string_view kVoice = "model.speaker_emb_projection.weight";

at::Tensor tensor_of(const std::vector<int64_t>& values) {
  return at::tensor(at::IntArrayRef(values), at::kLong);
}

}  // namespace

Lfm2Module::Lfm2Module(Lfm2Config config, ParameterMap parameters)
    : config_(std::move(config)), parameters_(std::move(parameters)) {
  for (const TensorSpec& spec : lfm2_tensors(config_)) {
    const auto found = parameters_.find(spec.name);
    if (found == parameters_.end()) {
      require(spec.optional, "parameter ", spec.name, " is missing");
      continue;
    }
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    require(found->second.sizes() == at::IntArrayRef(shape), "parameter ", spec.name,
            " has another shape than ", shape_text(spec.shape));
  }
  head_ = parameter(config_.separate_head ? "lm_head.weight" : "model.embed_tokens.weight");
  std::vector<float> frequencies;
  for (int k = 0; k < config_.head_dim / 2; ++k) {
    const float exponent = 2 * static_cast<float>(k) / static_cast<float>(config_.head_dim);
    frequencies.push_back(
        static_cast<float>(1.0 / std::pow(config_.rope_theta, static_cast<double>(exponent))));
  }
  frequencies_ = at::tensor(frequencies, head_.options().dtype(at::kFloat).requires_grad(false));
}

void Lfm2Module::move_to(at::Device device) {
  for (auto& [name, parameter] : parameters_) {
    const bool learns = parameter.requires_grad();
    parameter = parameter.detach().to(device).set_requires_grad(learns);
  }
  head_ = parameter(config_.separate_head ? "lm_head.weight" : "model.embed_tokens.weight");
  frequencies_ = frequencies_.to(device);
}

const at::Tensor& Lfm2Module::parameter(std::string_view name) const {
  const auto found = parameters_.find(name);
  require(found != parameters_.end(), "the model has no parameter ", name);
  return found->second;
}

const at::Tensor& Lfm2Module::of(int layer, std::string_view name) const {
  return parameter(concat("model.layers.", layer, ".", name));
}

at::Tensor Lfm2Module::rope_factor(int layer) const {
  const at::Tensor& weight =
      parameter(concat("model.learnable_rope_layers.", layer, ".alpha_weight"));
  return config_.alpha_min + (config_.alpha_max - config_.alpha_min) * at::sigmoid(weight);
}

at::Tensor Lfm2Module::forward(const PackedBatch& batch, ForwardTap* tap) const {
  for (const int64_t id : batch.ids) {
    if (id < 0 || id >= config_.vocab_size)
      throw Error(ErrorCode::kBadInput, "id ", id, " is outside 0 to ", config_.vocab_size - 1);
  }
  at::Tensor x = embed(batch);
  if (tap != nullptr) tap->embeddings(x);
  const at::Tensor positions = at::tensor(at::ArrayRef<float>(batch.positions)).to(x.device());
  for (size_t i = 0; i < config_.layers.size(); ++i) {
    const int layer = static_cast<int>(i);
    const at::Tensor u = rms_norm(x, of(layer, "operator_norm.weight"), config_.norm_eps);
    const bool attends = config_.layers[i] == LayerKind::kAttention;
    const at::Tensor y =
        attends ? attention_operator(layer, u, positions, batch) : conv_operator(layer, u, batch);
    if (tap != nullptr && attends) tap->attention_output(layer, y);
    const NormedSum mid = add_rms_norm(x, y, of(layer, "ffn_norm.weight"), config_.norm_eps);
    x = mid.sum + feed_forward(layer, mid.normed);
  }
  return rms_norm(x, parameter("model.embedding_norm.weight"), config_.norm_eps);
}

at::Tensor Lfm2Module::embed(const PackedBatch& batch) const {
  const at::Tensor& table = parameter("model.embed_tokens.weight");
  const at::Tensor ids = tensor_of(batch.ids).to(table.device());
  at::Tensor x = at::embedding(table, ids);
  if (batch.voice_slots.empty()) return x;
  const auto slots = static_cast<int64_t>(batch.voice_slots.size());
  const auto width = static_cast<int64_t>(batch.voices.size()) / slots;
  if (!parameters_.contains(kVoice) || width != config_.speaker_emb_dim) {
    throw Error(ErrorCode::kBadInput, "voices of ", width, " numbers for a model that takes ",
                parameters_.contains(kVoice) ? config_.speaker_emb_dim : 0);
  }
  const at::Tensor voices =
      at::tensor(at::ArrayRef<float>(batch.voices)).view({slots, width}).to(table.device());
  return x.index_copy(0, tensor_of(batch.voice_slots).to(table.device()),
                      train::linear(voices, parameter(kVoice)));
}

// Wo attention(rope(norm(Wq u)), rope(norm(Wk u)), Wv u)
at::Tensor Lfm2Module::attention_operator(int layer, const at::Tensor& u,
                                          const at::Tensor& positions,
                                          const PackedBatch& batch) const {
  const int64_t count = u.size(0), width = config_.head_dim;
  at::Tensor frequencies = frequencies_;
  if (config_.use_learnable_rope.value_or(false)) frequencies = frequencies * rope_factor(layer);
  const at::Tensor angles = positions.unsqueeze(1) * frequencies;
  const auto heads = [&](std::string_view name) {
    return train::linear(u, of(layer, name)).view({count, -1, width});
  };
  const at::Tensor q =
      norm_rope(heads("self_attn.q_proj.weight"), of(layer, "self_attn.q_layernorm.weight"), angles,
                config_.norm_eps);
  const at::Tensor k =
      norm_rope(heads("self_attn.k_proj.weight"), of(layer, "self_attn.k_layernorm.weight"), angles,
                config_.norm_eps);
  const at::Tensor y = attention(q, k, heads("self_attn.v_proj.weight"), batch.starts);
  return train::linear(y.reshape({count, -1}), of(layer, "self_attn.out_proj.weight"));
}

// Wout (c * conv(b * x')),  [b; c; x'] = Win u
at::Tensor Lfm2Module::conv_operator(int layer, const at::Tensor& u,
                                     const PackedBatch& batch) const {
  const auto bias = [&](std::string_view name) {
    return config_.conv_bias ? of(layer, name) : at::Tensor();
  };
  const at::Tensor bcx =
      train::linear(u, of(layer, "conv.in_proj.weight"), bias("conv.in_proj.bias"));
  const at::Tensor y =
      short_conv(bcx, of(layer, "conv.conv.weight"), bias("conv.conv.bias"), batch.starts);
  return train::linear(y, of(layer, "conv.out_proj.weight"), bias("conv.out_proj.bias"));
}

// W2 (silu(W1 u) * W3 u)
at::Tensor Lfm2Module::feed_forward(int layer, const at::Tensor& u) const {
  return train::linear(swiglu(train::linear(u, of(layer, "feed_forward.w1.weight")),
                              train::linear(u, of(layer, "feed_forward.w3.weight"))),
                       of(layer, "feed_forward.w2.weight"));
}

}  // namespace kani::train
