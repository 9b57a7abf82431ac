// speaker_command.h - `kani-train speaker`: trains the encoder that makes a voice of a recording.
#pragma once

#include <csignal>

namespace kani::train {

/// `argv[0]` is the program, the words after it are the command's own.  `stop` becomes other than 0
/// when the run shall end after its update.  Returns the exit status of the command line; throws
/// kani::Error for everything else.
int speaker_command(int argc, char** argv, const volatile std::sig_atomic_t& stop);

}  // namespace kani::train
