// safetensors.h - reading and writing .safetensors, single or sharded.
// Source: the format's published description; hostile inputs: reliability.md 6.
// Reading allocates nothing that the file merely claims.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

/// Opens one .safetensors file, or an index (….index.json) with its shards, or a folder that holds
/// `model.safetensors` or `model.safetensors.index.json`.  Maps, does not copy.
/// The tensors must tile the data exactly; shards must hold what the index says, and nothing else.
/// The file must not shrink while the result lives (a read beyond its new end is a SIGBUS):
/// parse_safetensors() on bytes that were read is free of that.
/// Throws Error(kNotFound) or Error(kBadInput, "<file>: <what> at offset <n>…").
std::unique_ptr<TensorFile> open_safetensors(const std::filesystem::path& path);

/// The same checks on bytes in memory (for fuzzing, voices, uploads); `bytes` must outlive the
/// result.
std::unique_ptr<TensorFile> parse_safetensors(std::span<const std::byte> bytes,
                                              const std::filesystem::path& name);

/// One tensor to write; `bytes` must hold exactly shape x dtype.
struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes atomically (temporary file, fsync, rename), tensors in the given order.  The data begins
/// at a multiple of 64 bytes; the format forbids gaps, so later tensors lie where sizes put them.
/// Throws Error(kCannotWrite); Error(kInvalidArgument) for names that cannot be read back, doubled
/// names, sizes that disagree.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});
/// The same file as bytes, for small ones.
std::string safetensors_bytes(std::span<const TensorToWrite> tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace kani
