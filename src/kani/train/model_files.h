// model_files.h - models of the trainer from and to files: upstream's names in safetensors beside a
// config.json that upstream's and our own inference load without edits.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Reads `model.safetensors` of a folder (or its shards) as float32 parameters that want gradients,
/// with the configuration that goes with it.  Throws Error(kNotFound, kBadInput) as the runtime.
Lfm2Module load_module(const std::filesystem::path& folder, const Lfm2Overrides& overrides = {});
/// The same with a configuration that is known already.  A tensor that the model has no use for is
/// an Error(kBadInput), which names all of them, unless a pattern of `allowed` fits its name or it
/// is a buffer of rotary frequencies; factors of RoPE that the configuration has turned off are
/// warned of.
Lfm2Module load_module_as(const std::filesystem::path& folder, Lfm2Config config,
                          const std::vector<std::string>& allowed = {});

enum class SavedType { kF32, kBF16 };
/// Writes `model.safetensors` in the order of upstream's files, metadata format = pt.  Atomic.
/// Throws Error(kCannotWrite).
void save_parameters(const std::filesystem::path& file, const ParameterMap& parameters,
                     SavedType type = SavedType::kF32);
/// Named tensors of any kind from a file, as they are, without gradients.
ParameterMap load_tensors(const std::filesystem::path& file);
/// Copies a file's tensors into those of `to`; both must have the same names and shapes.  Throws
/// Error(kBadInput).
void restore_tensors(const ParameterMap& to, const std::filesystem::path& file);
/// The same from all files of a folder whose names begin with `prefix`, in whichever of them a
/// tensor is; others may be in them.  False if there is no such file.  Throws Error(kBadInput).
bool restore_shares(const ParameterMap& to, const std::filesystem::path& folder,
                    std::string_view prefix);

/// Copies what belongs to a model beside weights and config.json: its tokenizer's files;
/// `tokenizer_json`, if not empty, takes the place of that file.
void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to,
                     std::string_view tokenizer_json = {});

/// A complete config.json: LFM2's keys and all of Kani's own.
std::string config_text(const Lfm2Config& config, SavedType type = SavedType::kF32);

}  // namespace kani::train
