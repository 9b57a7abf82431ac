// signals.cc - see signals.h.  A handler can reach only what is static.
#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace kani {
namespace {

CancelToken token;
std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int number) {
  if (token.cancelled()) _exit(128 + number);
  caught.store(number);
  token.cancel();
}

}  // namespace

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
}

const CancelToken& signal_token() { return token; }

int signal_status() { return 128 + (caught.load() == 0 ? SIGINT : caught.load()); }

}  // namespace kani
