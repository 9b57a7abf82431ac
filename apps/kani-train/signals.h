// signals.h - SIGINT, SIGTERM and SIGUSR1.  A loop that looks at them ends at its next turn and
// leaves what --resume goes on from; all else that the program does ends at once.
// Source: interfaces.md 1.3, training.md 14.9, reliability.md T5.
#pragma once

#include <csignal>

namespace kani::train {

/// From here on they are caught.  For the main thread, before others begin.
void catch_signals();
/// The signal that came while somebody looked; 0: none.
const volatile std::sig_atomic_t& stop_signal();

/// The status of a run that a signal ended behind its checkpoint: SIGTERM and SIGUSR1 asked for
/// just that, 0; SIGINT came from somebody at the keyboard, 130.
int status_of_stopped(int signal);

/// While one lives its owner looks at stop_signal() now and then: the first signal ends nothing.
/// SIGINT once more, over a second later, ends the process even so: somebody will not wait.
/// Others do not, since launchers send several.
class SignalsHeard {
 public:
  SignalsHeard();
  ~SignalsHeard();
  SignalsHeard(const SignalsHeard&) = delete;
  SignalsHeard& operator=(const SignalsHeard&) = delete;
};

}  // namespace kani::train
