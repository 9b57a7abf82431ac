// nemo.h - the .nemo container (tar, or gzip of a tar) with its YAML and its torch checkpoint.
// Source: codec.md 2. Nothing is unpacked to disk and no pickle is executed.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kani/formats/tensor_file.h"

namespace kani {

struct TensorToWrite;  // safetensors.h

/// The two members that matter.  Movable, immutable.
struct NemoArchive {
  std::string config_yaml;              // text of model_config.yaml, valid UTF-8, at most 1 MiB
  std::unique_ptr<TensorFile> weights;  // model_weights.ckpt
};

/// Opens a .nemo file.  A plain tar is mapped, a gzip'ed one is inflated into memory (its two
/// members alone, and at most 100 times the file's size).
/// `wanted(name)` chooses the tensors: the CRC-32 of their storages is checked (all other storages
/// are only bounds-checked, their bytes never read), and only they appear in `weights`.  Empty =
/// all. The file must not shrink while `weights` lives (MappedFile); parse_nemo() is free of that.
/// Throws Error(kNotFound) or Error(kBadInput) naming file, member or tensor, offset and reason.
NemoArchive open_nemo(const std::filesystem::path& path,
                      const std::function<bool(std::string_view name)>& wanted = {});

/// The same on bytes in memory; `bytes` must outlive the result.
NemoArchive parse_nemo(std::span<const std::byte> bytes, const std::filesystem::path& name,
                       const std::function<bool(std::string_view name)>& wanted = {});

/// Writes a .nemo as NeMo does (plain tar; torch zip with pickle protocol 2; F32, F16 and I32
/// tensors in the given order), atomically and reproducibly: no times in it. For `kani-tool
/// random-model` and, later, the trainer's export. Throws Error(kCannotWrite);
/// Error(kInvalidArgument) for doubled names, sizes that disagree, other types, 4 GiB and more.
void write_nemo(const std::filesystem::path& path, std::string_view config_yaml,
                std::span<const TensorToWrite> tensors);

}  // namespace kani
