// upstream_checkpoint.cc - see upstream_checkpoint.h.
#include "kani/train/upstream_checkpoint.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/formats/torch_optimizer.h"

namespace kani::train {
namespace {

constexpr uint64_t kMaxTrainerState = 1 << 28;  // a line in log_history for each update
constexpr double kMostUpdates = 1e9;
constexpr const char* kRopeFactors = "model.learnable_rope_layers.";

// Modules of a layer, in the order in which upstream's classes make them.
constexpr const char* kAttentionModules[] = {"self_attn.q_proj",      "self_attn.k_proj",
                                             "self_attn.v_proj",      "self_attn.out_proj",
                                             "self_attn.q_layernorm", "self_attn.k_layernorm"};
constexpr const char* kConvModules[] = {"conv.conv", "conv.in_proj", "conv.out_proj"};
constexpr const char* kCommonModules[] = {"feed_forward.w1", "feed_forward.w3", "feed_forward.w2",
                                          "operator_norm", "ffn_norm"};

std::string sizes_text(at::IntArrayRef sizes) {
  const std::vector<uint64_t> shape(sizes.begin(), sizes.end());
  return shape_text(shape);
}

// A RoPE factor is a scalar, or one number in a list.
bool same_shape(const at::Tensor& tensor, const TensorInfo& saved) {
  if (tensor.numel() == 1 && saved.elements() == 1) return true;
  return tensor.sizes() ==
         at::IntArrayRef(std::vector<int64_t>(saved.shape.begin(), saved.shape.end()));
}

void copy_numbers(const TensorInfo& saved, at::Tensor& to) {
  const std::vector<float> numbers = tensor_to_f32(saved);
  for (const float number : numbers) {
    if (!std::isfinite(number))
      throw Error(ErrorCode::kBadInput, saved.name, " holds a number that is not finite");
  }
  to.copy_(at::from_blob(const_cast<float*>(numbers.data()), to.sizes(), at::kFloat));
}

// What the run would do differently from the one that it continues.
// `factors`: the second group is that of the RoPE factors.
void compare_rates(const std::filesystem::path& file, const TorchOptimizer& saved,
                   const OptimizerSettings& settings, bool factors) {
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    const bool of_factors = factors && g == 1;
    const double rate = settings.learning_rate * (of_factors ? settings.alpha_lr_ratio : 1);
    for (const auto& [name, ours] :
         {std::pair{"initial_lr", rate}, std::pair{"eps", settings.epsilon},
          std::pair{"weight_decay", of_factors ? 0 : settings.weight_decay}}) {
      const auto found = saved.groups[g].settings.find(name);
      if (found == saved.groups[g].settings.end()) continue;
      if (std::abs(found->second - ours) <= 1e-9 * std::abs(ours)) continue;
      log_warning("train", file, ": group ", g, " had ", name, " ", found->second,
                  ", this run goes on with ", ours);
    }
  }
}

}  // namespace

UpstreamProgress read_upstream_progress(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "trainer_state.json";
  const Json json = parse_json(read_file(path, kMaxTrainerState), path.string());
  const auto number = [&](const char* key, bool needed) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
      if (!needed) return 0.0;
      throw Error(ErrorCode::kBadInput, path, ": ", key, " is missing");
    }
    const double value = found->is_number() ? found->get<double>() : -1;
    if (!(value >= 0 && value <= kMostUpdates))
      throw Error(ErrorCode::kBadInput, path, ": ", key, " must be a number from 0 to ",
                  kMostUpdates);
    return value;
  };
  if (!json.is_object()) throw Error(ErrorCode::kBadInput, path, ": is no object");
  return {static_cast<int64_t>(number("global_step", true)), number("epoch", false),
          static_cast<int64_t>(number("max_steps", false))};
}

std::vector<std::vector<std::string>> upstream_parameters(const Lfm2Config& config,
                                                          const ParameterMap& parameters) {
  std::vector<std::string> plain, factors;
  const auto take = [&](std::vector<std::string>& group, const std::string& module) {
    for (const char* kind : {".weight", ".bias"}) {
      if (parameters.contains(module + kind)) group.push_back(module + kind);
    }
  };
  take(plain, "model.embed_tokens");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const auto part = [&](const char* module) {
      take(plain, concat("model.layers.", i, ".", module));
    };
    if (config.layers[i] == LayerKind::kAttention) {
      for (const char* module : kAttentionModules) part(module);
    } else {
      for (const char* module : kConvModules) part(module);
    }
    for (const char* module : kCommonModules) part(module);
    const std::string factor = concat(kRopeFactors, i, ".alpha_weight");
    if (parameters.contains(factor)) factors.push_back(factor);
  }
  for (const char* module : {"model.embedding_norm", "model.speaker_emb_projection", "lm_head"})
    take(plain, module);
  if (plain.size() + factors.size() != parameters.size())
    throw Error(ErrorCode::kInternal, "the model has ", parameters.size(), " parameters, ",
                plain.size() + factors.size(), " are known of upstream's");
  if (factors.empty()) return {plain};
  return {plain, factors};
}

std::vector<std::vector<std::string>> decayed_first(const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> groups(2);
  for (const std::string& name : names) {
    const bool stays = name.find("bias") != std::string::npos ||
                       name.find("layernorm") != std::string::npos ||
                       name.find("_norm.") != std::string::npos;
    groups[stays ? 1 : 0].push_back(name);
  }
  return groups;
}

void load_upstream_moments(const std::filesystem::path& folder, const Lfm2Config& config,
                           const ParameterMap& parameters, AdamW& optimizer) {
  const std::filesystem::path path = folder / "optimizer.pt";
  const MappedFile file(path);
  const TorchOptimizer saved = parse_torch_optimizer(file.bytes(), path.string());
  auto groups = upstream_parameters(config, parameters);
  const bool factors = groups.size() == 2;
  if (!factors && saved.groups.size() == 2) groups = decayed_first(groups.front());
  const auto text = [](const auto& list, const auto& size) {
    std::string out;
    for (const auto& group : list) out += concat(out.empty() ? "" : " + ", size(group));
    return out;
  };
  const std::string found = text(saved.groups, [](const SavedGroup&g) { return g.parameters; }),
                    wanted = text(groups, [](const auto&g) { return g.size(); });
  if (found != wanted)
    throw Error(ErrorCode::kBadInput, path, ": has groups of ", found,
                " parameters, this model would have ", wanted);
  compare_rates(path, saved, optimizer.settings(), factors);
  at::NoGradGuard no_grad;
  int64_t number = -1;
  for (const auto& group : groups) {
    for (const std::string& name : group) {
      ++number;
      const auto from = saved.state.find(number);
      if (from == saved.state.end()) {
        log_warning("train", path, ": no moments of ", name, ", they begin at 0");
        continue;
      }
      const at::Tensor& parameter = parameters.find(name)->second;
      if (!same_shape(parameter, from->second.first))
        throw Error(ErrorCode::kBadInput, path, ": the moments of parameter ", number, ", ", name,
                    ", have the shape ", shape_text(from->second.first.shape), ", must be ",
                    sizes_text(parameter.sizes()));
      const auto to = optimizer.state().find(name);
      if (to == optimizer.state().end()) continue;  // another process's, or it is not trained
      copy_numbers(from->second.first, to->second.first);
      copy_numbers(from->second.second, to->second.second);
      to->second.steps.fill_(static_cast<double>(from->second.steps));
    }
  }
}

}  // namespace kani::train
