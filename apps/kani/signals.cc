// signals.cc - see signals.h.  A handler can reach only what is static, so the token lives here.
#include "apps/kani/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

CancelToken token;
std::atomic<bool> polite{false};
std::atomic<int> caught{0};
int bell = -1;  // an eventfd that rings with the token, for poll(); never closed
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int number) {
  if (!polite.load() || token.cancelled()) _exit(128 + number);
  caught.store(number);
  token.cancel();
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(bell, &one, sizeof one);
}

}  // namespace

void install_signal_handlers() {
  bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler =
      handle;  // no SA_RESTART: a read from a pipe must return when it is interrupted
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    // A shell starts background jobs with SIGINT ignored; that stays so.
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  signal(SIGPIPE, SIG_IGN);
}

const CancelToken& cancel_token() { return token; }

int cancel_status() { return 128 + (caught.load() == 0 ? SIGINT : caught.load()); }

const char* cancel_signal_name() { return caught.load() == SIGTERM ? "SIGTERM" : "SIGINT"; }

void wait_until_ready(int descriptor, short events) {
  pollfd waits[2] = {{.fd = descriptor, .events = events, .revents = 0},
                     {.fd = bell, .events = POLLIN, .revents = 0}};
  while (!token.cancelled() && poll(waits, 2, -1) < 0 && errno == EINTR) {
  }
  if (token.cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
}

PoliteCancel::PoliteCancel() noexcept { polite.store(true); }
PoliteCancel::~PoliteCancel() { polite.store(false); }

}  // namespace kani::cli
