// tensor_file.h - named tensors in a file, whatever its container: the view that loaders of models
// work on.
// Not here: what the names mean (spec/), arithmetic on the numbers (lm/, codec/, speaker/).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/numbers.h"

namespace kani {

/// One tensor, row-major, little endian, contiguous.  `bytes` points into the file's map or buffer,
/// may be misaligned, and lives as long as the TensorFile.
/// bytes.size() == elements() * dtype_size(dtype) always holds.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;
  std::span<const std::byte> bytes;

  uint64_t elements() const {
    uint64_t count = 1;
    for (const uint64_t size : shape) count *= size;
    return count;  // no overflow: readers check the product against the byte range
  }
};

/// "[3, 4]"; "[]" for a scalar.
std::string shape_text(std::span<const uint64_t> shape);

/// An opened file (or set of shards).  Immutable and thread-safe.
class TensorFile {
 public:
  virtual ~TensorFile() = default;
  /// In file order.
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  /// nullptr if there is none of this name.
  virtual const TensorInfo* find(std::string_view name) const = 0;
  /// Text attributes (safetensors' __metadata__); empty where the container has none.
  virtual const std::map<std::string, std::string>& metadata() const = 0;
  /// For messages: the path as it was given.
  virtual const std::filesystem::path& path() const = 0;
  /// Tells the system that a tensor's bytes were copied and are not needed again soon.
  virtual void release(const TensorInfo& tensor) const noexcept = 0;
};

/// All numbers of the tensor as float32.
std::vector<float> tensor_to_f32(const TensorInfo& tensor);

}  // namespace kani
