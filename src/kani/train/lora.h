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
#include "kani/train/lora_settings.h"

namespace kani::train {

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
