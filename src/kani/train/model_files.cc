// model_files.cc - see model_files.h.
#include "kani/train/model_files.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/formats/safetensors.h"
#include "kani/train/name_parts.h"

namespace kani::train {
namespace {

at::Tensor tensor_of(const TensorInfo& info, bool as_float) {
  const std::vector<int64_t> shape(info.shape.begin(), info.shape.end());
  if (as_float) {
    at::Tensor out = at::empty(shape, at::kFloat);
    to_f32(info.dtype, info.bytes,
           {out.mutable_data_ptr<float>(), static_cast<size_t>(out.numel())});
    return out;
  }
  const auto type = [&] {
    switch (info.dtype) {
      case DType::kF32:
        return at::kFloat;
      case DType::kF64:
        return at::kDouble;
      case DType::kBF16:
        return at::kBFloat16;
      case DType::kF16:
        return at::kHalf;
      case DType::kI64:
        return at::kLong;
      case DType::kI32:
        return at::kInt;
      case DType::kI16:
        return at::kShort;
      case DType::kU8:
        return at::kByte;
      default:
        throw Error(ErrorCode::kUnsupported, info.name, " is ", dtype_name(info.dtype));
    }
  }();
  at::Tensor out = at::empty(shape, type);
  if (!info.bytes.empty())
    std::memcpy(out.mutable_data_ptr(), info.bytes.data(), info.bytes.size());
  return out;
}

DType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return DType::kF32;
    case at::kDouble:
      return DType::kF64;
    case at::kBFloat16:
      return DType::kBF16;
    case at::kHalf:
      return DType::kF16;
    case at::kLong:
      return DType::kI64;
    case at::kInt:
      return DType::kI32;
    case at::kByte:
      return DType::kU8;
    default:
      throw Error(ErrorCode::kInternal, "a tensor of a type that is not stored");
  }
}

bool is_known_surplus(std::string_view name, const Lfm2Config& config) {
  const bool factor = name.starts_with("model.learnable_rope_layers.");
  return name.ends_with(".inv_freq") || (factor && !*config.use_learnable_rope);
}

void refuse_surplus(const Lfm2Config& config, const TensorFile& file,
                    const std::vector<std::string>& allowed) {
  std::set<std::string_view> known;
  const std::vector<TensorSpec> specs = lfm2_tensors(config);
  for (const TensorSpec& spec : specs) known.insert({spec.name, spec.other_name});
  NameList surplus;
  for (const TensorInfo& tensor : file.tensors()) {
    const bool fine = known.contains(tensor.name) || is_known_surplus(tensor.name, config) ||
                      std::any_of(allowed.begin(), allowed.end(), [&](const std::string& pattern) {
                        return name_fits(pattern, tensor.name);
                      });
    if (!fine) surplus.add(printable(tensor.name));
  }
  if (surplus.count() == 0) return;
  throw Error(ErrorCode::kBadInput, file.path(), ": unexpected tensors: ", surplus.text())
      .with_hint(
          "they would be lost in what is trained; allow_unexpected: [NAME, …] leaves them out, * "
          "stands for any text");
}

}  // namespace

Lfm2Module load_module(const std::filesystem::path& folder, const Lfm2Overrides& overrides) {
  const std::filesystem::path path = folder / "config.json";
  return load_module_as(
      folder, parse_lfm2_config(read_file(path, kMaxConfigBytes), path.string(), overrides));
}

Lfm2Module load_module_as(const std::filesystem::path& folder, Lfm2Config config,
                          const std::vector<std::string>& allowed) {
  const auto file = open_safetensors(folder);
  lfm2_resolve(config, *file);
  require(config.stored_type.empty(), folder, " holds ", config.stored_type,
          " and cannot be trained; take the model that it was converted from");
  refuse_surplus(config, *file, allowed);
  ParameterMap parameters;
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    if (spec.name == "lm_head.weight" && !config.separate_head) continue;
    const TensorInfo* info = find_tensor(spec, *file);
    if (info == nullptr) continue;
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    parameters[spec.name] = tensor_of(*info, /*as_float=*/true).view(shape).set_requires_grad(true);
  }
  return {std::move(config), std::move(parameters)};
}

ParameterMap load_tensors(const std::filesystem::path& file) {
  const auto opened = open_safetensors(file);
  ParameterMap out;
  for (const TensorInfo& info : opened->tensors())
    out[info.name] = tensor_of(info, /*as_float=*/false);
  return out;
}

void restore_tensors(const ParameterMap& to, const std::filesystem::path& file) {
  const ParameterMap from = load_tensors(file);
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : to) {
    const auto found = from.find(name);
    if (found == from.end() || found->second.sizes() != tensor.sizes())
      throw Error(ErrorCode::kBadInput, file, ": ", name, " is missing or has another shape");
    tensor.copy_(found->second);
  }
  if (from.size() != to.size())
    throw Error(ErrorCode::kBadInput, file, ": holds ", from.size(), " tensors, expected ",
                to.size());
}

bool restore_shares(const ParameterMap& to, const std::filesystem::path& folder,
                    std::string_view prefix) {
  at::NoGradGuard no_grad;
  ParameterMap wanted = to;  // sharing the tensors
  bool any = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& file = entry.path();
    if (!file.filename().string().starts_with(prefix) || file.extension() != ".safetensors")
      continue;
    any = true;
    for (const auto& [name, tensor] : load_tensors(file)) {
      const auto found = wanted.find(name);
      if (found == wanted.end()) continue;
      if (found->second.sizes() != tensor.sizes())
        throw Error(ErrorCode::kBadInput, file, ": ", name, " has another shape");
      found->second.copy_(tensor);
      wanted.erase(found);
    }
  }
  if (any && !wanted.empty())
    throw Error(ErrorCode::kBadInput, folder, ": ", wanted.begin()->first, " is missing in ",
                prefix, "*.safetensors");
  return any;
}

void save_parameters(const std::filesystem::path& file, const ParameterMap& parameters,
                     SavedType type) {
  std::vector<at::Tensor> kept;
  std::vector<TensorToWrite> tensors;
  for (const auto& [name, parameter] : parameters) {
    at::Tensor tensor = parameter.detach().to(at::kCPU);
    if (type == SavedType::kBF16) tensor = tensor.to(at::kBFloat16);
    kept.push_back(tensor.contiguous());
    tensors.push_back(
        {name,
         type_of(kept.back()),
         {kept.back().sizes().begin(), kept.back().sizes().end()},
         {static_cast<const std::byte*>(kept.back().const_data_ptr()), kept.back().nbytes()}});
  }
  write_safetensors(file, tensors, {{"format", "pt"}});
}

std::string config_text(const Lfm2Config& c, SavedType type) {
  Json layers = Json::array();
  for (const LayerKind kind : c.layers)
    layers.push_back(kind == LayerKind::kAttention ? "full_attention" : "conv");
  Json out{{"architectures", {"FlashCompatibleLfm2ForCausalLM"}},
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
           {"norm_eps", c.norm_eps},
           {"rope_theta", c.rope_theta},
           {"conv_L_cache", c.conv_kernel},
           {"conv_bias", c.conv_bias},
           {"layer_types", layers},
           {"tie_word_embeddings", !c.separate_head},
           {"bos_token_id", 1},
           {"torch_dtype", type == SavedType::kBF16 ? "bfloat16" : "float32"},
           {"audio_tokens_start", c.audio_tokens_start},
           {"tokens_per_frame", c.tokens_per_frame},
           {"audio_step", c.audio_step},
           {"use_learnable_rope", c.use_learnable_rope.value_or(false)},
           {"alpha_min", c.alpha_min},
           {"alpha_max", c.alpha_max},
           {"speaker_emb_dim", c.speaker_emb_dim}};
  if (c.audio_codebook_size > 0) out["audio_codebook_size"] = c.audio_codebook_size;
  if (c.language_tags_available)
    out["language_settings"] = {{"status", "available_language_tags"},
                                {"language_tags_list", c.language_tags}};
  if (!c.language_tokens.empty()) out["language_settings"]["language_tokens"] = c.language_tokens;
  return dump_json(out, 2) + "\n";
}

void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to,
                     std::string_view tokenizer_json) {
  // As inference looks for them.
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "generation_config.json"}) {
    if (std::filesystem::exists(from / name))
      write_file(to / name, read_file(from / name, uint64_t{1} << 30));
  }
  if (!tokenizer_json.empty()) write_file(to / "tokenizer.json", tokenizer_json);
}

}  // namespace kani::train
