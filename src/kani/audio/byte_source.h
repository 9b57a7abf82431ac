// byte_source.h - encoded bytes with a position, from a file or from memory, as C decoders want
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "kani/base/file.h"

namespace kani {

/// One thread at a time.
class ByteSource {
 public:
  /// Throws as InputFile.
  explicit ByteSource(const std::filesystem::path& path);
  /// `memory` must outlive the source.
  explicit ByteSource(std::span<const std::byte> memory) : memory_(memory), size_(memory.size()) {}

  uint64_t size() const noexcept { return size_; }
  uint64_t position() const noexcept { return position_; }
  /// As lseek: the new position, which may lie beyond the end; -1 if it would be negative.
  int64_t seek(int64_t offset, int whence) noexcept;
  /// Reads on; less than asked only at the end or if the disk fails, which ends the sound there.
  size_t read(std::span<std::byte> out) noexcept;
  /// Reads elsewhere without moving.
  size_t read_at(uint64_t offset, std::span<std::byte> out) const noexcept;

 private:
  std::optional<InputFile> file_;
  std::span<const std::byte> memory_;
  uint64_t size_ = 0;
  uint64_t position_ = 0;
};

}  // namespace kani
