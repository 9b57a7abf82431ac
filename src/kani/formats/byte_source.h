// byte_source.h - bytes that are read once, front to back: memory as it is, a file of which only
// what is asked for is read, or a gzip stream inflated on the way.  So a compressed archive never
// exists unpacked: only the members that are kept do.  Not a public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kani/base/file.h"

namespace kani {

/// One thread, one pass.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next `count` bytes, fewer at the end; valid until the next call.
  virtual std::span<const std::byte> read(size_t count) = 0;
  /// The same, valid as long as what take_kept() gives, or the memory below.
  virtual std::span<const std::byte> keep(uint64_t count) = 0;
  /// Goes `count` bytes forward; returns how many there were.
  virtual uint64_t skip(uint64_t count) = 0;
  /// Bytes passed so far.
  virtual uint64_t position() const = 0;
  /// What keep() had to copy.
  virtual std::vector<std::vector<std::byte>> take_kept() = 0;
};

/// Views of `bytes`.
std::unique_ptr<ByteSource> memory_source(std::span<const std::byte> bytes);

/// Of a file, which must outlive it, up to the size it had when it was opened; skip() reads
/// nothing. Throws Error(kBadInput) as InputFile::read_at().
std::unique_ptr<ByteSource> file_source(const InputFile& file);

/// True for the mark of a gzip stream.
bool looks_like_gzip(std::span<const std::byte> bytes) noexcept;

/// Inflates `bytes` (one or more gzip members, nothing behind them).  Every call may throw
/// Error(kBadInput, "<where>: …") for a damaged or cut stream, and for one that grows beyond 100
/// times its size plus 1 MiB, or 4 GiB: sound weights hardly shrink (by 1.1 to 1.5), a bomb has
/// 1,000.
std::unique_ptr<ByteSource> gzip_source(std::span<const std::byte> bytes, std::string where);

}  // namespace kani
