// signals.h - SIGINT and SIGTERM while a set is built: the first one asks the workers to end, the
// second ends the process.  interfaces.md 1.3.
#pragma once

#include "kani/base/cancel.h"

namespace kani {

/// From here on signals set the token.  SIGINT stays ignored if it was (a job in the background).
void catch_signals();
const CancelToken& signal_token();
/// 128 + the signal that came; 130 if none did.
int signal_status();

}  // namespace kani
