// signals.cc - see signals.h.  A handler can reach only what is static.
#include "signals.h"

#include <time.h>
#include <unistd.h>

#include <atomic>

namespace kani::train {
namespace {

volatile std::sig_atomic_t came = 0, heard = 0;
std::atomic<int64_t> came_at{0};  // seconds
static_assert(std::atomic<int64_t>::is_always_lock_free);

int64_t seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

// Nothing is flushed: what is half written stays under its temporary name.
void handle(int number) {
  const bool insists = number == SIGINT && came != 0 && seconds_now() > came_at.load() + 1;
  if (heard == 0 || insists) _exit(128 + number);
  if (came == 0) came_at.store(seconds_now());
  came = number;
}

}  // namespace

void catch_signals() {
  for (const int number : {SIGTERM, SIGUSR1, SIGINT}) std::signal(number, handle);
}

const volatile std::sig_atomic_t& stop_signal() { return came; }

int status_of_stopped(int signal) { return signal == SIGINT ? 128 + SIGINT : 0; }

SignalsHeard::SignalsHeard() { heard = heard + 1; }
SignalsHeard::~SignalsHeard() { heard = heard - 1; }

}  // namespace kani::train
