// safetensors.h - reading and writing .safetensors, single or sharded.  Source: the format's published description;
// hostile inputs: reliability.md 6.  Reading allocates nothing that the file merely claims.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

/// Opens one .safetensors file, or an index (….safetensors.index.json) with its shards, or a folder that holds
/// `model.safetensors` or `model.safetensors.index.json`.  Maps, does not copy.
/// Throws Error(kNotFound) or Error(kBadInput, "<file>: <what> at offset <n>…").
std::unique_ptr<TensorFile> open_safetensors(const std::filesystem::path& path);

/// The same checks on bytes in memory (for fuzzing, voices and uploads); `bytes` must outlive the result.
std::unique_ptr<TensorFile> parse_safetensors(std::span<const std::byte> bytes,
                                              const std::filesystem::path& name);

/// One tensor to write; `bytes` must hold exactly shape x dtype.
struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes atomically (temporary file, fsync, rename), tensors in the given order, data aligned to 64 bytes.
/// Throws Error(kCannotWrite); Error(kInvalidArgument) for doubled names or sizes that disagree.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace kani
