// signals.cc - see signals.h.  A handler can reach only what is static.
#include "signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>

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
  // A stack of their own: MKL's products run on one that is a small block of the heap, and what the
  // kernel puts on the stack for a handler, all vector registers, would overwrite what lies below.
  // One thread's, this one's; the system gives it all signals of the process.
  alignas(64) static std::array<std::byte, size_t{256} << 10> stack;
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  for (const int number : {SIGTERM, SIGUSR1, SIGINT}) sigaction(number, &action, nullptr);
}

const volatile std::sig_atomic_t& stop_signal() { return came; }

int status_of_stopped(int signal) { return signal == SIGINT ? 128 + SIGINT : 0; }

SignalsHeard::SignalsHeard() { heard = heard + 1; }
SignalsHeard::~SignalsHeard() { heard = heard - 1; }

}  // namespace kani::train
