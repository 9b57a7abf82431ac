// lora.cc - see lora.h.
#include "kani/train/lora.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"
#include "kani/train/model_files.h"
#include "kani/train/name_parts.h"

namespace kani::train {
namespace {

constexpr std::string_view kWeight = ".weight", kA = ".lora_A.weight", kB = ".lora_B.weight";
constexpr std::string_view kVoiceLayer = "model.speaker_emb_projection";

constexpr std::string_view kTokenTable = "model.embed_tokens.weight";

bool is_adapter(std::string_view name) {
  return name.ends_with(kA) || name.ends_with(kB) || name == kTokenRows;
}

void add_token_rows(const LoraSettings& settings, ParameterMap& parameters) {
  const std::vector<int64_t> ids = settings.token_ids();
  if (ids.empty()) return;
  const auto table = parameters.find(kTokenTable);
  require(table != parameters.end(),
          "trainable_token_indices needs rows of their own: audio_table rows");
  require(!table->second.requires_grad(),
          "trainable_token_indices beside modules_to_save, which trains all rows");
  require(ids.back() < table->second.size(0), "trainable_token_indices: ", ids.back(),
          ", but the embedding has ", table->second.size(0), " rows");
  parameters[kTokenRows] = table->second.detach()
                               .index_select(0, at::tensor(at::IntArrayRef(ids), at::kLong))
                               .set_requires_grad(true);
}

// PEFT's rule for names: the whole, or its end behind a dot.
bool names(std::string_view target, std::string_view module) {
  if (name_fits(target, module)) return true;
  for (size_t i = 0; i < module.size(); ++i) {
    if (module[i] == '.' && name_fits(target, module.substr(i + 1))) return true;
  }
  return false;
}

std::vector<std::string> matrices(const ParameterMap& parameters) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.dim() != 2 || !name.ends_with(kWeight) || is_adapter(name)) continue;
    const std::string module = name.substr(0, name.size() - kWeight.size());
    if (module.starts_with("model.layers.") || module == kVoiceLayer) out.push_back(module);
  }
  return out;
}

}  // namespace

std::vector<std::string> lora_modules(const ParameterMap& parameters,
                                      const std::vector<std::string>& targets) {
  const std::vector<std::string> all = matrices(parameters);
  for (const std::string& target : targets) {
    const bool any = std::any_of(all.begin(), all.end(),
                                 [&](const std::string& module) { return names(target, module); });
    require(any, "lora_targets: \"", target,
            "\" names no matrix of the layers and not the voice projection; one of them is ",
            all.empty() ? std::string("none") : all.front());
  }
  std::vector<std::string> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const std::string& module) {
    return std::any_of(targets.begin(), targets.end(),
                       [&](const std::string& target) { return names(target, module); });
  });
  return out;
}

void add_adapters(const LoraSettings& settings, uint64_t seed, ParameterMap& parameters) {
  const std::vector<std::string> modules = lora_modules(parameters, settings.targets);
  check_name_parts("modules_to_save", settings.also_trained, parameters);
  for (auto& [name, parameter] : parameters) {
    const bool trained = std::any_of(
        settings.also_trained.begin(), settings.also_trained.end(),
        [&, &whole = name](const auto& part) { return whole.find(part) != std::string::npos; });
    parameter.set_requires_grad(trained);
  }
  add_token_rows(settings, parameters);
  Random random(splitmix64(seed));
  for (const std::string& module : modules) {
    const at::Tensor& w = parameters.find(module + std::string(kWeight))->second;
    const auto like = w.options().requires_grad(false);
    const double limit = 1 / std::sqrt(static_cast<double>(w.size(1)));
    at::Tensor a = at::empty({settings.rank, w.size(1)}, like.device(at::kCPU).dtype(at::kFloat));
    float* numbers = a.mutable_data_ptr<float>();
    for (int64_t i = 0; i < a.numel(); ++i)
      numbers[i] = static_cast<float>((2 * random.next_uniform() - 1) * limit);
    const at::Tensor b = at::zeros({w.size(0), settings.rank}, like);
    parameters[module + std::string(kA)] = a.to(like).set_requires_grad(true);
    parameters[module + std::string(kB)] = b.set_requires_grad(true);
  }
}

bool has_adapters(const ParameterMap& parameters) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const auto& entry) { return is_adapter(entry.first); });
}

ParameterMap merged(const ParameterMap& parameters, double scale,
                    const std::vector<int64_t>& token_ids) {
  at::NoGradGuard no_grad;
  ParameterMap out;
  for (const auto& [name, tensor] : parameters) {
    if (!is_adapter(name)) out[name] = tensor.detach();
  }
  for (const auto& [name, b] : parameters) {
    if (!name.ends_with(kB)) continue;
    const std::string module = name.substr(0, name.size() - kB.size());
    const at::Tensor& a = parameters.find(module + std::string(kA))->second;
    at::Tensor& w = out[module + std::string(kWeight)];
    w = w + at::mm(b.detach(), a.detach()) * scale;
  }
  if (const auto rows = parameters.find(kTokenRows); rows != parameters.end()) {
    at::Tensor& table = out.at(std::string(kTokenTable));
    table =
        table.index_copy(0, at::tensor(at::IntArrayRef(token_ids), at::kLong).to(table.device()),
                         rows->second.detach());
  }
  return out;
}

std::string base_hash(const ParameterMap& parameters) {
  Sha256 hash;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.requires_grad()) continue;
    const at::Tensor flat = tensor.detach().cpu().contiguous();
    hash.update(std::as_bytes(std::span(name)));
    hash.update({static_cast<const std::byte*>(flat.const_data_ptr()), flat.nbytes()});
  }
  return hex_text(hash.finish());
}

ParameterMap adapter_tensors(const ParameterMap& parameters) {
  ParameterMap out;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.requires_grad()) out["base_model.model." + name] = tensor.detach();
  }
  return out;
}

void save_adapter(const std::filesystem::path& folder, const ParameterMap& parameters,
                  const LoraSettings& settings, const std::string& base) {
  Json modules = Json::array(), whole = Json::array();
  for (const auto& [name, tensor] : parameters) {
    if (name.ends_with(kA)) modules.push_back(name.substr(0, name.size() - kA.size()));
    if (!is_adapter(name) && tensor.requires_grad())
      whole.push_back(name.substr(0, name.rfind('.')));
  }
  const std::vector<int64_t> ids = settings.token_ids();
  const bool natural = settings.alpha == std::floor(settings.alpha) && settings.alpha < 1e9;
  const Json config{
      {"alpha_pattern", Json::object()},
      {"auto_mapping", nullptr},
      {"base_model_name_or_path", base},
      {"bias", "none"},
      {"fan_in_fan_out", false},
      {"inference_mode", true},
      {"init_lora_weights", true},
      {"layers_pattern", nullptr},
      {"layers_to_transform", nullptr},
      {"lora_alpha", natural ? Json(static_cast<int64_t>(settings.alpha)) : Json(settings.alpha)},
      {"lora_dropout", settings.dropout},
      {"modules_to_save", whole.empty() ? Json() : whole},
      {"peft_type", "LORA"},
      {"r", settings.rank},
      {"rank_pattern", Json::object()},
      {"revision", nullptr},
      {"target_modules", modules},
      {"task_type", "CAUSAL_LM"},
      {"trainable_token_indices", ids.empty() ? Json() : Json(ids)},
      {"use_rslora", settings.rank_stabilized}};
  save_parameters(folder / kAdapterFile, adapter_tensors(parameters));
  write_file(folder / "adapter_config.json", dump_json(config, 2) + "\n");
}

}  // namespace kani::train
