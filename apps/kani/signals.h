// signals.h - SIGINT and SIGTERM: at once while there is nothing to tidy, politely while sound is
// being made, and at once again when asked twice.  interfaces.md 1.3.
#pragma once

#include "kani/base/cancel.h"

namespace kani::cli {

/// SIGINT and SIGTERM end the process with 130 or 143; SIGPIPE is ignored (writes then fail with
/// EPIPE).
void install_signal_handlers();

/// Set by the first SIGINT or SIGTERM that comes while a PoliteCancel lives.
const CancelToken& cancel_token();
/// 128 + the signal that was caught, 130 if none was.
int cancel_status();
/// "SIGINT" or "SIGTERM".
const char* cancel_signal_name();

/// Waits until `descriptor` can be read (POLLIN) or written (POLLOUT, PIPE_BUF bytes of a pipe)
/// without waiting.  Throws Error(kCancelled) if the token is set or becomes so: a plain read or
/// write would go on waiting if the signal came just before it.
void wait_until_ready(int descriptor, short events);

/// While it lives the first signal only sets the token, and blocking system calls return EINTR; the
/// second ends the process at once.  One at a time, in the main thread.
class PoliteCancel {
 public:
  PoliteCancel() noexcept;
  PoliteCancel(const PoliteCancel&) = delete;
  PoliteCancel& operator=(const PoliteCancel&) = delete;
  ~PoliteCancel();
};

}  // namespace kani::cli
