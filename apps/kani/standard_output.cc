// standard_output.cc - see standard_output.h.
#include "apps/kani/standard_output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "apps/kani/signals.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

/// One write(2) of the start of `rest`, which is then shorter; the error number if it failed, else
/// 0.  A reader who does not read must not make us deaf to signals: it waits for room a short while
/// at a time and writes no more than a pipe takes without waiting.
int write_some(int descriptor, std::span<const std::byte>& rest) {
  check_cancelled();
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  if (poll(&waiting, 1, /*timeout in ms=*/100) <= 0) return 0;  // not yet, or a signal
  const ssize_t written = ::write(descriptor, rest.data(), std::min<size_t>(rest.size(), PIPE_BUF));
  if (written >= 0) {
    rest = rest.subspan(static_cast<size_t>(written));
    return 0;
  }
  return errno == EINTR || errno == EAGAIN ? 0 : errno;
}

}  // namespace

StandardOutput::StandardOutput() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void StandardOutput::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t before = bytes.size();
    if (const int error = write_some(STDOUT_FILENO, bytes)) {
      broken_ = error == EPIPE;
      throw_cannot_write("stdout", error);
    }
    written_ += before - bytes.size();
  }
}

void StandardOutput::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void StandardOutput::line(std::string_view text) { write(std::string(text) + "\n"); }

void write_all(int descriptor, std::span<const std::byte> bytes,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    if (const int error = write_some(descriptor, bytes)) throw_cannot_write(path, error);
  }
}

}  // namespace kani::cli
