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

StandardOutput::StandardOutput() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void StandardOutput::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    wait_until_ready(STDOUT_FILENO, POLLOUT);
    // No more than what a pipe that is ready takes without waiting.
    const size_t part = std::min<size_t>(bytes.size(), PIPE_BUF);
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), part);
    if (written < 0) {
      const int error = errno;
      if (error == EINTR || error == EAGAIN) continue;
      broken_ = error == EPIPE;
      throw_cannot_write("stdout", error);
    }
    written_ += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void StandardOutput::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void StandardOutput::line(std::string_view text) { write(std::string(text) + "\n"); }

}  // namespace kani::cli
