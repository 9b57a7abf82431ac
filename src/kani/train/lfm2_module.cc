// lfm2_module.cc - reads like language-model.md 6 and 7.  N elements, H hidden size, D head width.
#include "kani/train/lfm2_module.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/fp8_linear.h"
#include "kani/train/narrow_weights.h"
#include "kani/train/ops.h"
#include "kani/train/recompute.h"

namespace kani::train {
namespace {

constexpr std::string_view kEmbedding = "model.embed_tokens.weight";
constexpr std::string_view kVoice = "model.speaker_emb_projection.weight";
constexpr std::string_view kVoiceModule = "model.speaker_emb_projection";

at::Tensor tensor_of(const std::vector<int64_t>& values) {
  return at::tensor(at::IntArrayRef(values), at::kLong);
}

at::Tensor to_bf16_and_back(const at::Tensor& x) { return x.to(at::kBFloat16).to(x.scalar_type()); }

}  // namespace

Lfm2Module::Lfm2Module(Lfm2Config config, ParameterMap parameters, ComputeRules rules)
    : config_(std::move(config)), rules_(rules), parameters_(std::move(parameters)) {
  for (const TensorSpec& spec : lfm2_tensors(config_)) {
    const auto found = parameters_.find(spec.name);
    if (rules_.table.on() && spec.name == kEmbedding) continue;
    if (found == parameters_.end()) {
      require(spec.optional, "parameter ", spec.name, " is missing");
      continue;
    }
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    require(found->second.sizes() == at::IntArrayRef(shape), "parameter ", spec.name,
            " has another shape than ", shape_text(spec.shape));
  }
  require(!rules_.table.on() || !config_.separate_head,
          "audio_table factorised beside a head of its own (lm_head): both must be one table");
  head_ = parameter(head_name());
  std::vector<float> frequencies;
  for (int k = 0; k < config_.head_dim / 2; ++k) {
    const float exponent = 2 * static_cast<float>(k) / static_cast<float>(config_.head_dim);
    frequencies.push_back(
        static_cast<float>(1.0 / std::pow(config_.rope_theta, static_cast<double>(exponent))));
  }
  frequencies_ = at::tensor(frequencies, head_.options().dtype(at::kFloat).requires_grad(false));
  if (rules_.rope_bf16) frequencies_ = to_bf16_and_back(frequencies_);
}

void Lfm2Module::move_to(at::Device device) {
  for (auto& [name, parameter] : parameters_) {
    const bool learns = parameter.requires_grad();
    parameter = parameter.detach().to(device).set_requires_grad(learns);
  }
  head_ = parameter(head_name());
  frequencies_ = frequencies_.to(device);
}

void Lfm2Module::narrow() {
  narrow_weights(parameters_);
  head_ = parameter(head_name());
}

std::string_view Lfm2Module::head_name() const {
  if (rules_.table.on()) return kFactorTable;
  return config_.separate_head ? "lm_head.weight" : kEmbedding;
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
  const at::Tensor factor =
      config_.alpha_min + (config_.alpha_max - config_.alpha_min) * at::sigmoid(weight);
  return rules_.rope_bf16 ? to_bf16_and_back(factor) : factor;
}

at::Tensor Lfm2Module::forward(const PackedBatch& batch, ForwardTap* tap,
                               AttentionGuide* guide) const {
  for (const int64_t id : batch.ids) {
    if (id < 0 || id >= config_.vocab_size)
      throw Error(ErrorCode::kBadInput, "id ", id, " is outside 0 to ", config_.vocab_size - 1);
  }
  at::Tensor x = embed(batch);
  if (tap != nullptr) tap->embeddings(x);
  const auto documents = std::make_shared<const Documents>(Documents{
      at::tensor(at::ArrayRef<float>(batch.positions)).to(x.device()), batch.starts, batch.noise});
  const bool recompute = rules_.recompute && tap == nullptr && at::GradMode::is_enabled();
  for (size_t i = 0; i < config_.layers.size(); ++i) {
    const int index = static_cast<int>(i);
    const auto part = [this, index, documents](const at::Tensor& in) {
      return layer(index, in, *documents, {});
    };
    const Watchers watchers{tap, guide != nullptr && guide->guides(index) ? guide : nullptr};
    x = recompute && watchers.guide == nullptr ? recomputed(part, x, parameters_of(index))
                                               : layer(index, x, *documents, watchers);
  }
  return rms_norm(x, parameter("model.embedding_norm.weight"), config_.norm_eps);
}

at::Tensor Lfm2Module::for_products(const at::Tensor& x) const {
  return rules_.bf16 ? x.to(at::kBFloat16) : x;
}

std::vector<at::Tensor> Lfm2Module::parameters_of(int layer) const {
  std::vector<at::Tensor> out;
  for (const char* list : {"model.layers.", "model.learnable_rope_layers."}) {
    const std::string prefix = concat(list, layer, ".");
    for (auto it = parameters_.lower_bound(prefix);
         it != parameters_.end() && it->first.starts_with(prefix); ++it)
      out.push_back(it->second);
  }
  return out;
}

at::Tensor Lfm2Module::layer(int index, const at::Tensor& in, const Documents& documents,
                             const Watchers& watchers) const {
  const at::Tensor u =
      for_products(rms_norm(in, of(index, "operator_norm.weight"), config_.norm_eps));
  const bool attends = config_.layers[static_cast<size_t>(index)] == LayerKind::kAttention;
  const at::Tensor y = attends ? attention_operator(index, u, documents, watchers.guide)
                               : conv_operator(index, u, documents);
  if (watchers.tap != nullptr && attends) watchers.tap->attention_output(index, y);
  const NormedSum x = add_rms_norm(in, y, of(index, "ffn_norm.weight"), config_.norm_eps);
  return x.sum + feed_forward(index, for_products(x.normed), documents);
}

// W x (+ bias), and + s B A dropout(x) where there is an adapter.
at::Tensor Lfm2Module::project(const std::string& module, const at::Tensor& x,
                               std::optional<uint64_t> noise, bool fp8) const {
  const auto found = parameters_.find(module + ".bias");
  const at::Tensor bias = found == parameters_.end() ? at::Tensor() : found->second;
  const at::Tensor& w = parameter(module + ".weight");
  const at::Tensor y = fp8 && fits_fp8(x, w) ? fp8_linear(x, w, bias) : train::linear(x, w, bias);
  const auto a = parameters_.find(module + ".lora_A.weight");
  if (a == parameters_.end()) return y;
  at::Tensor seen = x;
  if (noise && rules_.adapter_dropout > 0) {
    uint64_t key = *noise;
    for (const char c : module) key = splitmix64(key ^ static_cast<unsigned char>(c));
    seen = train::dropout(x, rules_.adapter_dropout, key);
  }
  const at::Tensor inner = for_products(train::linear(seen, a->second));
  return y + rules_.adapter_scale * train::linear(inner, parameter(module + ".lora_B.weight"));
}

at::Tensor Lfm2Module::head() const {
  if (rules_.token_rows.empty() || config_.separate_head) return head_;
  return head_.index_copy(0, tensor_of(rules_.token_rows).to(head_.device()),
                          parameter(kTokenRows));
}

at::Tensor Lfm2Module::rows_of(const std::vector<int64_t>& ids) const {
  if (rules_.table.on()) return table_rows(rules_.table, parameter(kFactorTable), ids);
  const at::Tensor& table = parameter(kEmbedding);
  const at::Tensor x = widened_rows(table, tensor_of(ids).to(table.device()));
  std::vector<int64_t> places, rows;  // of the ids that have a trained row
  for (size_t i = 0; i < ids.size() && !rules_.token_rows.empty(); ++i) {
    const auto found = std::lower_bound(rules_.token_rows.begin(), rules_.token_rows.end(), ids[i]);
    if (found == rules_.token_rows.end() || *found != ids[i]) continue;
    places.push_back(static_cast<int64_t>(i));
    rows.push_back(found - rules_.token_rows.begin());
  }
  if (places.empty()) return x;
  return x.index_copy(0, tensor_of(places).to(table.device()),
                      parameter(kTokenRows).index_select(0, tensor_of(rows).to(table.device())));
}

at::Tensor Lfm2Module::embed(const PackedBatch& batch) const {
  const at::Tensor x = rows_of(batch.ids);
  if (batch.voice_slots.empty()) return x;
  const auto slots = static_cast<int64_t>(batch.voice_slots.size());
  const auto width = static_cast<int64_t>(batch.voices.size()) / slots;
  if (!parameters_.contains(kVoice) || width != config_.speaker_emb_dim) {
    throw Error(ErrorCode::kBadInput, "voices of ", width, " numbers for a model that takes ",
                parameters_.contains(kVoice) ? config_.speaker_emb_dim : 0);
  }
  const at::Tensor voices =
      at::tensor(at::ArrayRef<float>(batch.voices)).view({slots, width}).to(x.device());
  return x.index_copy(0, tensor_of(batch.voice_slots).to(x.device()),
                      project(std::string(kVoiceModule), for_products(voices), batch.noise));
}

// Wo attention(rope(norm(Wq u)), rope(norm(Wk u)), Wv u)
at::Tensor Lfm2Module::attention_operator(int layer, const at::Tensor& u,
                                          const Documents& documents, AttentionGuide* guide) const {
  const int64_t count = u.size(0), width = config_.head_dim;
  at::Tensor frequencies = frequencies_;
  if (config_.use_learnable_rope.value_or(false)) frequencies = frequencies * rope_factor(layer);
  if (rules_.rope_bf16) frequencies = to_bf16_and_back(frequencies);
  const at::Tensor angles = documents.positions.unsqueeze(1) * frequencies;
  const std::string self = concat("model.layers.", layer, ".self_attn.");
  const auto heads = [&](const char* name) {
    return project(self + name, u, documents.noise).view({count, -1, width});
  };
  const at::Tensor q =
      norm_rope(heads("q_proj"), parameter(self + "q_layernorm.weight"), angles, config_.norm_eps);
  const at::Tensor k =
      norm_rope(heads("k_proj"), parameter(self + "k_layernorm.weight"), angles, config_.norm_eps);
  if (guide != nullptr) guide->look_at(q, k);
  const at::Tensor y =
      attention(for_products(q), for_products(k), for_products(heads("v_proj")), documents.starts);
  return project(self + "out_proj", y.reshape({count, -1}), documents.noise);
}

// Wout (c * conv(b * x')),  [b; c; x'] = Win u
at::Tensor Lfm2Module::conv_operator(int layer, const at::Tensor& u,
                                     const Documents& documents) const {
  const std::string self = concat("model.layers.", layer, ".conv.");
  const at::Tensor bcx = project(self + "in_proj", u, documents.noise);
  const at::Tensor bias = config_.conv_bias ? parameter(self + "conv.bias") : at::Tensor();
  const at::Tensor y = short_conv(bcx, parameter(self + "conv.weight"), bias, documents.starts);
  return project(self + "out_proj", for_products(y), documents.noise);
}

// W2 (silu(W1 u) * W3 u)
at::Tensor Lfm2Module::feed_forward(int layer, const at::Tensor& u,
                                    const Documents& documents) const {
  const std::string self = concat("model.layers.", layer, ".feed_forward.");
  const auto product = [&](const char* name, const at::Tensor& x) {
    return project(self + name, x, documents.noise, rules_.fp8);
  };
  const at::Tensor gate = product("w1", u), up = product("w3", u);
  return product("w2", for_products(swiglu(gate, up)));
}

double training_operations(const Lfm2Config& config, double mean_length, int64_t head_rows) {
  double weights = 0;
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    // Looking an id up multiplies nothing, the head does once for each; a voice is one element of
    // many.
    if (spec.shape.size() != 2 || spec.name.find("embed_tokens") != std::string::npos ||
        spec.name.find("lm_head") != std::string::npos ||
        spec.name.find("speaker") != std::string::npos)
      continue;
    weights += static_cast<double>(spec.shape[0]) * static_cast<double>(spec.shape[1]);
  }
  weights +=
      static_cast<double>(head_rows > 0 ? head_rows : config.vocab_size) * config.hidden_size;
  const auto attention = static_cast<double>(
      std::count(config.layers.begin(), config.layers.end(), LayerKind::kAttention));
  return 6 * weights + 6 * attention * config.heads * config.head_dim * mean_length;
}

}  // namespace kani::train
