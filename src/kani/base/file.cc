// file.cc - POSIX files: maps, whole reads, atomic writes.
#include "kani/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kani/base/error.h"

namespace kani {
// O_NONBLOCK so that a FIFO does not hang us before fstat can refuse it.
InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) {
      throw Error(ErrorCode::kNotFound, "no such file: ", path_);
    }
    throw Error(ErrorCode::kBadInput, "cannot read ", path_, ": ", std::strerror(reason));
  }
  struct stat info {};
  if (fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor_);
    throw Error(ErrorCode::kBadInput, path_, ": not a regular file");
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(std::exchange(other.size_, 0)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

size_t InputFile::read_at(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        pread(descriptor_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorCode::kBadInput, "cannot read ", path_, ": ", std::strerror(errno));
    }
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const InputFile file(path);
  size_ = file.size();
  if (size_ == 0) return;
  void* data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (data == MAP_FAILED) {
    throw Error(ErrorCode::kBadInput, "cannot map ", path, ": ", std::strerror(errno));
  }
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const noexcept {
  if (data_ == nullptr || part.empty()) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw Error(ErrorCode::kBadInput, path, ": ", file.size(), " bytes, at most ", max_bytes,
                " are accepted here");
  }
  std::string text(file.size(), '\0');
  text.resize(
      file.read_at(0, std::as_writable_bytes(std::span(text))));  // less if shrunk meanwhile
  return text;
}

void throw_cannot_write(const std::filesystem::path& path, int error_number) {
  throw Error(ErrorCode::kCannotWrite, "cannot write ", path, ": ", std::strerror(error_number));
}

AtomicFile::AtomicFile(std::filesystem::path path, Access access) : path_(std::move(path)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) throw_cannot_write(path_, EISDIR);
  std::string name = path_.parent_path() / ("." + path_.filename().string() + ".XXXXXX.tmp");
  descriptor_ = mkostemps(name.data(), 4, O_CLOEXEC);
  if (descriptor_ < 0) throw_cannot_write(path_, errno);
  temporary_ = name;
  if (access == Access::kOwnerOnly) return;  // mkstemp has made it so
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_cannot_write(path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0 && errno != EINVAL) throw_cannot_write(path_, errno);
  if (close(std::exchange(descriptor_, -1)) != 0) throw_cannot_write(path_, errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) throw_cannot_write(path_, errno);
  temporary_.clear();
}

void write_file(const std::filesystem::path& path, std::string_view text,
                AtomicFile::Access access) {
  AtomicFile file(path, access);
  file.write(text);
  file.commit();
}

}  // namespace kani
