// arrow_io.h - what all uses of Arrow share: its errors become ours, its memory has a limit, its
// files appear whole or not at all.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {

/// Throws Error(kInternal) if headers and library are of different versions.
void check_arrow_version();

/// Throws Error(kBadInput) with the file and Arrow's reason in one line.
void check_read(const arrow::Status& status, const std::filesystem::path& file);
/// The same as Error(kCannotWrite).
void check_written(const arrow::Status& status, const std::filesystem::path& file);

template <typename T>
T read_value(arrow::Result<T> result, const std::filesystem::path& file) {
  check_read(result.status(), file);
  return std::move(result).ValueUnsafe();
}
template <typename T>
T written_value(arrow::Result<T> result, const std::filesystem::path& file) {
  check_written(result.status(), file);
  return std::move(result).ValueUnsafe();
}

/// Turns the exception in flight, one of the Parquet reader's or the library's, into
/// Error(kBadInput) naming the file.  Errors of ours pass.
[[noreturn]] void rethrow_as_bad_input(const std::filesystem::path& file);

/// Calls `read`, which talks to Arrow about `file`; its exceptions become ours.
template <typename Read>
auto reading(const std::filesystem::path& file, Read read) {
  try {
    return read();
  } catch (...) {
    rethrow_as_bad_input(file);
  }
}

/// The system's memory up to a limit: a file whose sizes lie cannot take all of it.  Thread-safe.
class LimitedPool final : public arrow::MemoryPool {
 public:
  explicit LimitedPool(int64_t limit_bytes) : limit_(limit_bytes) {}

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** pointer) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return used_; }
  int64_t max_memory() const override { return most_; }
  int64_t total_bytes_allocated() const override { return total_; }
  int64_t num_allocations() const override { return count_; }
  std::string backend_name() const override { return "limited"; }

 private:
  arrow::Status take(int64_t bytes);
  void give_back(int64_t bytes) { used_ -= bytes; }

  const int64_t limit_;
  std::atomic<int64_t> used_ = 0, most_ = 0, total_ = 0, count_ = 0;
};

/// Arrow writes here; commit() makes the file visible.  Without it nothing remains.
class AtomicOutput final : public arrow::io::OutputStream {
 public:
  /// Throws Error(kCannotWrite).
  explicit AtomicOutput(const std::filesystem::path& path) : file_(path) {
    set_mode(arrow::io::FileMode::WRITE);
  }

  arrow::Status Write(const void* data, int64_t bytes) override;
  using arrow::io::Writable::Write;
  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return written_; }

  /// After Close() of whatever wrote here.  Throws Error(kCannotWrite).
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  int64_t written_ = 0;
  bool closed_ = false;
};

}  // namespace kani
