// lora.h - low-rank adapters (Hu et al. 2021) beside matrices that stay as they are: y = W x + s B
// A dropout(x), s = alpha / rank.  A [rank, in] and B [out, rank] lie among the parameters as
// "<module>.lora_A.weight" and "….lora_B.weight".
// Files are those of PEFT (0.6 and later), so that adapters are usable elsewhere.
// Source: training.md 14.8.  Not here: the product itself (lfm2_module.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kani/train/lfm2_module.h"

namespace kani::train {

struct LoraSettings {
  int64_t rank = 0;  // 0: no adapters
  double alpha = 32;
  double dropout = 0;            // share of a module's inputs that its adapter does not see
  bool rank_stabilized = false;  // s = alpha / sqrt(rank)
  /// Ends of modules' names, whole words between dots; "*" stands for any text.
  std::vector<std::string> targets{
      "q_proj", "k_proj", "v_proj", "self_attn.out_proj", "conv.in_proj", "conv.out_proj",
      "w1",     "w2",     "w3"};
  /// Parts of names of parameters that are trained whole beside the adapters, and saved with them.
  std::vector<std::string> also_trained{};
  /// Rows of the embedding that are trained beside the adapters, ids and stretches of them
  /// ("64400-64409", both included); the other rows stay.
  std::vector<std::string> token_rows{};

  double scale() const;
  /// The ids in token_rows, ascending.  Throws Error(kInvalidArgument) for what is none.
  std::vector<int64_t> token_ids() const;
  /// Throws Error(kInvalidArgument) naming the setting.
  void validate() const;
};

/// Names without ".weight" of the matrices that the targets name, in order: those of the layers and
/// the voice projection.  Throws Error(kInvalidArgument) naming a target that fits none of them.
std::vector<std::string> lora_modules(const ParameterMap& parameters,
                                      const std::vector<std::string>& targets);

/// Adds adapters, A uniform within 1 / sqrt(in), B zero, a function of `seed`, and the rows that
/// settings.token_rows names, as kTokenRows; after that only they and settings.also_trained want
/// gradients.  Throws as lora_modules(), for a part in also_trained that is in no name, and for
/// rows that the embedding does not have.
void add_adapters(const LoraSettings& settings, uint64_t seed, ParameterMap& parameters);

bool has_adapters(const ParameterMap& parameters);

/// The model without adapters: W + s B A in float32, and kTokenRows where the embedding has
/// `token_ids`; other tensors are shared.
ParameterMap merged(const ParameterMap& parameters, double scale,
                    const std::vector<int64_t>& token_ids = {});

/// SHA-256 in hexadecimal of the names and bytes of what is not trained: the base that adapters
/// belong to.
std::string base_hash(const ParameterMap& parameters);

/// What is trained, under PEFT's names, sharing the tensors.
ParameterMap adapter_tensors(const ParameterMap& parameters);
inline constexpr const char* kAdapterFile = "adapter_model.safetensors";
/// Writes adapter_model.safetensors and adapter_config.json.  `base` is what PEFT will load. Throws
/// Error(kCannotWrite).
void save_adapter(const std::filesystem::path& folder, const ParameterMap& parameters,
                  const LoraSettings& settings, const std::string& base);

}  // namespace kani::train
