// arrow_io.cc - see arrow_io.h.
#include "kani/dataset/arrow_io.h"

#include <arrow/config.h>
#include <arrow/util/config.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>

namespace kani {
namespace {

constexpr size_t kMessageBytes = 240;

/// Arrow's text in one line: what stands behind its first line break is where in its code.
std::string reason_of(std::string_view message) {
  std::string line = printable(message.substr(0, message.find('\n')), kMessageBytes);
  while (line.ends_with('.')) line.pop_back();
  return line;
}

}  // namespace

void check_arrow_version() {
  const arrow::BuildInfo& library = arrow::GetBuildInfo();
  if (library.version_major != ARROW_VERSION_MAJOR) {
    throw Error(ErrorCode::kInternal, "built for Arrow ", ARROW_VERSION_MAJOR, ", found Arrow ",
                library.version_string)
        .with_hint("run tools/arrow.sh and build again");
  }
}

void check_read(const arrow::Status& status, const std::filesystem::path& file) {
  if (!status.ok()) throw Error(ErrorCode::kBadInput, file, ": ", reason_of(status.message()));
}

void check_written(const arrow::Status& status, const std::filesystem::path& file) {
  if (!status.ok()) {
    throw Error(ErrorCode::kCannotWrite, "cannot write ", file, ": ", reason_of(status.message()));
  }
}

void rethrow_as_bad_input(const std::filesystem::path& file) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kBadInput, file, ": asks for more memory than there is");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kBadInput, file, ": ", reason_of(error.what()));
  }
}

arrow::Status LimitedPool::take(int64_t bytes) {
  const int64_t now = used_ += bytes;
  if (now > limit_) {
    used_ -= bytes;
    return arrow::Status::OutOfMemory("needs more than ", limit_ >> 20, " MiB at once");
  }
  most_ = std::max(most_.load(), now);
  return arrow::Status::OK();
}

arrow::Status LimitedPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(take(size));
  const arrow::Status status = arrow::system_memory_pool()->Allocate(size, alignment, out);
  if (!status.ok()) give_back(size);
  total_ += size;
  ++count_;
  return status;
}

arrow::Status LimitedPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                      uint8_t** pointer) {
  const int64_t more = new_size - old_size;
  ARROW_RETURN_NOT_OK(take(more));
  const arrow::Status status =
      arrow::system_memory_pool()->Reallocate(old_size, new_size, alignment, pointer);
  if (!status.ok()) give_back(more);
  total_ += std::max<int64_t>(more, 0);
  ++count_;
  return status;
}

void LimitedPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  arrow::system_memory_pool()->Free(buffer, size, alignment);
  give_back(size);
}

arrow::Status AtomicOutput::Write(const void* data, int64_t bytes) {
  try {
    file_.write(std::span(static_cast<const std::byte*>(data), static_cast<size_t>(bytes)));
  } catch (const Error& error) {
    return arrow::Status::IOError(error.what());
  }
  written_ += bytes;
  return arrow::Status::OK();
}

arrow::Status AtomicOutput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

}  // namespace kani
