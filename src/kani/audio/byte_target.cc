// byte_target.cc - files replaced as a whole, files and pipes written in place, memory, functions.
#include "kani/audio/byte_target.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <optional>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

// Holds SIGPIPE back in this thread and takes it away again if a write raised one, so that a closed
// pipe is an error like any other.  The process's own handler is left alone.
class SigpipeGuard {
 public:
  SigpipeGuard() noexcept {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;
  ~SigpipeGuard() {
    const int saved = errno;
    if (!was_pending_) {
      const timespec now{};
      while (sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved;
  }

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

class AtomicTarget : public ByteTarget {
 public:
  explicit AtomicTarget(const fs::path& path) : path_(path), file_(path) {}

  void append(std::span<const std::byte> bytes) override { file_.write(bytes); }
  bool can_rewrite() const noexcept override { return true; }
  void rewrite(uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done =
          pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) throw_cannot_write(path_, errno);
      offset += static_cast<uint64_t>(done);
      bytes = bytes.subspan(static_cast<size_t>(done));
    }
  }
  void finish() override { file_.commit(); }

 private:
  fs::path path_;
  AtomicFile file_;
};

class InPlaceTarget : public ByteTarget {
 public:
  /// Takes over the descriptor of `path`.  `regular`: a file that was opened by its name; it is
  /// removed again unless finish() is reached.
  InPlaceTarget(fs::path path, int descriptor, bool regular)
      : path_(std::move(path)), descriptor_(descriptor), regular_(regular) {}
  InPlaceTarget(const InPlaceTarget&) = delete;
  InPlaceTarget& operator=(const InPlaceTarget&) = delete;
  ~InPlaceTarget() override {
    if (descriptor_ < 0) return;
    close(descriptor_);
    if (regular_) unlink(path_.c_str());
  }

  void append(std::span<const std::byte> bytes) override {
    if (const int error = write_descriptor(descriptor_, bytes)) throw_cannot_write(path_, error);
  }
  bool can_rewrite() const noexcept override { return false; }
  void rewrite(uint64_t, std::span<const std::byte>) override {}
  void finish() override {
    if (close(std::exchange(descriptor_, -1)) != 0) throw_cannot_write(path_, errno);
  }

 private:
  fs::path path_;
  int descriptor_;
  bool regular_;
};

class StreamTarget : public ByteTarget {
 public:
  explicit StreamTarget(ByteSink sink) : sink_(std::move(sink)) {}

  void append(std::span<const std::byte> bytes) override {
    if (!bytes.empty()) sink_(bytes);
  }
  bool can_rewrite() const noexcept override { return false; }
  void rewrite(uint64_t, std::span<const std::byte>) override {}
  void finish() override {}

 private:
  ByteSink sink_;
};

class MemoryTarget : public ByteTarget {
 public:
  explicit MemoryTarget(Bytes& bytes) : bytes_(bytes), begin_(bytes.size()) {}

  void append(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  bool can_rewrite() const noexcept override { return true; }
  void rewrite(uint64_t offset, std::span<const std::byte> bytes) override {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<ptrdiff_t>(begin_ + offset));
  }
  void finish() override {}

 private:
  Bytes& bytes_;
  size_t begin_;
};

// N if the path is a name of our open descriptor N.  Opening such a name would start at the
// beginning of the file behind it, and a rename would replace the name.
std::optional<int> named_descriptor(const std::string& path) {
  if (path == "/dev/stdin") return 0;
  if (path == "/dev/stdout") return 1;
  if (path == "/dev/stderr") return 2;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    int number = -1;
    const char* end = path.data() + path.size();
    const auto [last, error] = std::from_chars(path.data() + folder.size(), end, number);
    if (error == std::errc() && last == end && number >= 0) return number;
  }
  return std::nullopt;
}

// Follows symbolic links up to a path that is none or a name of a descriptor.
fs::path follow_links(const fs::path& path) {
  fs::path target = path;
  for (int links = 0; links < 40; ++links) {
    std::error_code error;
    if (named_descriptor(target.string()) || !fs::is_symlink(target, error)) return target;
    const fs::path next = fs::read_symlink(target, error);
    if (error) throw_cannot_write(path, error.value());
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  throw_cannot_write(path, ELOOP);
}

}  // namespace

int write_descriptor(int descriptor, std::span<const std::byte> bytes) noexcept {
  const SigpipeGuard guard;
  while (!bytes.empty()) {
    const ssize_t done = write(descriptor, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) {  // a terminal or pipe that another program made non-blocking
      pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
      poll(&waiting, 1, -1);
      continue;
    }
    if (done < 0) return errno;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
  return 0;
}

std::unique_ptr<ByteTarget> open_file_target(const fs::path& path, bool in_place) {
  const fs::path target = follow_links(path);
  const std::optional<int> ours = named_descriptor(target.string());
  struct stat info {};
  const bool exists = stat(target.c_str(), &info) == 0;
  const bool replaceable = !ours && (!exists || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
  if (replaceable && !in_place) return std::make_unique<AtomicTarget>(target);
  const int descriptor = ours
                             ? fcntl(*ours, F_DUPFD_CLOEXEC, 3)
                             : open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw_cannot_write(path, errno);
  const bool regular = !ours && fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  return std::make_unique<InPlaceTarget>(target, descriptor, regular);
}

std::unique_ptr<ByteTarget> make_stream_target(ByteSink sink) {
  return std::make_unique<StreamTarget>(std::move(sink));
}

std::unique_ptr<ByteTarget> make_memory_target(Bytes& bytes) {
  return std::make_unique<MemoryTarget>(bytes);
}

}  // namespace kani
