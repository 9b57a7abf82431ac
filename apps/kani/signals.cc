// signals.cc - see signals.h.  A handler can reach only what is static, so the token lives here.
#include "apps/kani/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

CancelToken token;
std::atomic<bool> polite{false};
std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int number) {
  if (!polite.load() || token.cancelled()) _exit(128 + number);
  caught.store(number);
  token.cancel();
}

}  // namespace

void install_signal_handlers() {
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

void check_cancelled() {
  if (token.cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
}

PoliteCancel::PoliteCancel() noexcept { polite.store(true); }
PoliteCancel::~PoliteCancel() { polite.store(false); }

}  // namespace kani::cli
