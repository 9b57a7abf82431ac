// file.h - reading files whole or mapped, and writing them so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace kani {

/// A regular file open for reading in pieces.  Thread-safe after construction: it has no position.
class InputFile {
 public:
  /// Throws Error(kNotFound) if missing, (kBadInput) if it is no regular file or cannot be read.
  explicit InputFile(std::filesystem::path path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// Size when it was opened.
  uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  /// Fills `out` from `offset` on; returns how many bytes there were, less than asked only at the
  /// end of the file.  Throws Error(kBadInput).
  size_t read_at(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

/// A read-only map of a regular file.  Thread-safe after construction.
/// The file must not shrink while it is mapped: a read beyond its new end is a SIGBUS.  Model files
/// are opened by the operator; uploads and voices are read whole (read_file) instead.
class MappedFile {
 public:
  /// Throws Error(kNotFound) if missing, (kBadInput) if it is no regular file or cannot be read.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  /// Tells the system that these bytes are not needed again soon; they stay readable.
  void release(std::span<const std::byte> part) const noexcept;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file.  Throws Error(kNotFound) if missing, (kBadInput) if it is no regular file,
/// unreadable or longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes);

/// True if something is at `path`, links followed; what cannot be looked at is not there.
bool is_there(const std::filesystem::path& path);

/// Writes under a temporary name beside `path`; commit() makes it visible under its own name, all
/// at once.  Without commit() the destructor removes it: no partial file is ever left under the
/// final name.
class AtomicFile {
 public:
  /// What open() would give, or 0600 for what is nobody else's business (recordings, voices).
  enum class Access { kUsual, kOwnerOnly };

  /// Throws Error(kCannotWrite).
  explicit AtomicFile(std::filesystem::path path, Access access = Access::kUsual);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Name of the temporary file, for libraries that open files themselves.
  const std::filesystem::path& temporary_path() const { return temporary_; }
  int descriptor() const { return descriptor_; }
  /// Throws Error(kCannotWrite) naming file and reason (e.g. no space left).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Flushes to disk and renames.  Throws Error(kCannotWrite).
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// write_file = AtomicFile + write + commit.
void write_file(const std::filesystem::path& path, std::string_view text,
                AtomicFile::Access access = AtomicFile::Access::kUsual);

/// Throws Error(kCannotWrite, "cannot write <path>: <reason of error_number>").
[[noreturn]] void throw_cannot_write(const std::filesystem::path& path, int error_number);

}  // namespace kani
