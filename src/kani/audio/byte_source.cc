// byte_source.cc - reading and seeking in a file or in memory.
#include "kani/audio/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "kani/base/error.h"

namespace kani {

ByteSource::ByteSource(const std::filesystem::path& path) {
  file_.emplace(path);
  size_ = file_->size();
}

int64_t ByteSource::seek(int64_t offset, int whence) noexcept {
  int64_t target = 0;
  if (whence == SEEK_CUR) target = static_cast<int64_t>(position_);
  if (whence == SEEK_END) target = static_cast<int64_t>(size_);
  if (__builtin_add_overflow(target, offset, &target) || target < 0) return -1;
  position_ = static_cast<uint64_t>(target);
  return target;
}

size_t ByteSource::read(std::span<std::byte> out) noexcept {
  const size_t got = read_at(position_, out);
  position_ += got;
  return got;
}

size_t ByteSource::read_at(uint64_t offset, std::span<std::byte> out) const noexcept {
  if (offset >= size_ || out.empty()) return 0;
  if (file_) {
    try {
      return file_->read_at(offset, out);
    } catch (const Error&) {
      return 0;
    }
  }
  const size_t count = std::min(out.size(), static_cast<size_t>(size_ - offset));
  std::memcpy(out.data(), memory_.data() + offset, count);
  return count;
}

}  // namespace kani
