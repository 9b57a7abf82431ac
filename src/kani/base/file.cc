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
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Opens a regular file for reading; O_NONBLOCK so that a FIFO does not hang us before fstat can
// refuse it.
int open_regular(const std::filesystem::path& path, uint64_t& size) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) {
      throw Error(ErrorCode::kNotFound, "no such file: ", path);
    }
    throw Error(ErrorCode::kBadInput, "cannot read ", path, ": ", std::strerror(reason));
  }
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    throw Error(ErrorCode::kBadInput, path, ": not a regular file");
  }
  size = static_cast<uint64_t>(info.st_size);
  return fd;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  uint64_t size = 0;
  const Descriptor file(open_regular(path, size));
  size_ = size;
  if (size_ == 0) return;
  void* data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
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

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  uint64_t size = 0;
  const Descriptor file(open_regular(path, size));
  if (size > max_bytes) {
    throw Error(ErrorCode::kBadInput, path, ": ", size, " bytes, at most ", max_bytes,
                " are accepted here");
  }
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(file.get(), text.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorCode::kBadInput, "cannot read ", path, ": ", std::strerror(errno));
    }
    if (got == 0) break;  // shrunk meanwhile: what is there counts
    done += static_cast<size_t>(got);
  }
  text.resize(done);
  return text;
}

void throw_cannot_write(const std::filesystem::path& path, int error_number) {
  throw Error(ErrorCode::kCannotWrite, "cannot write ", path, ": ", std::strerror(error_number));
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) throw_cannot_write(path_, EISDIR);
  std::string name = path_.parent_path() / ("." + path_.filename().string() + ".XXXXXX.tmp");
  descriptor_ = mkostemps(name.data(), 4, O_CLOEXEC);
  if (descriptor_ < 0) throw_cannot_write(path_, errno);
  temporary_ = name;
  const mode_t mask =
      umask(0);  // mkstemp makes 0600; give the file the mode that open() would have given
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

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace kani
