// tensor_table.h - the one implementation of TensorFile: a list of tensors, an index by name, and
// whatever keeps their bytes alive.  The readers of each container fill it.  Not a public header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/file.h"
#include "kani/formats/tensor_file.h"

namespace kani {

/// What the tensors' bytes point into; empty where the caller owns them.
struct TensorBacking {
  std::vector<MappedFile> maps;
  std::vector<std::vector<std::byte>> buffers;
};

class TensorTable final : public TensorFile {
 public:
  /// `tensors` in file order.  Throws Error(kBadInput) if two of them have one name.
  TensorTable(std::filesystem::path path, std::vector<TensorInfo> tensors,
              std::map<std::string, std::string> metadata, TensorBacking backing);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const TensorInfo* find(std::string_view name) const override;
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const std::filesystem::path& path() const override { return path_; }
  void release(const TensorInfo& tensor) const noexcept override;

 private:
  std::filesystem::path path_;
  std::vector<TensorInfo> tensors_;
  std::vector<uint32_t> by_name_;  // positions in tensors_: 4 bytes a tensor, no hashing
  std::map<std::string, std::string> metadata_;
  TensorBacking backing_;
};

/// Elements of `shape`, or nothing if the product does not fit 64 bits.  Zero sizes count as one
/// while multiplying, so that the answer does not depend on the order of the sizes.
std::optional<uint64_t> checked_elements(std::span<const uint64_t> shape) noexcept;

/// Sizes in a shape that any model of ours could have; more is refused.
inline constexpr size_t kMaxRank = 16;

}  // namespace kani
