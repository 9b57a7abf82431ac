// codec_command.h - `kani-train codec`: trains a codec, stage by stage.
#pragma once

#include <csignal>

namespace kani::train {

/// `argv[0]` is the program, the words after it are the command's own.  `stop` becomes other than 0
/// when the run shall end after its update.  Returns the exit status for what the command line
/// says; throws kani::Error for everything else.
int codec_command(int argc, char** argv, const volatile std::sig_atomic_t& stop);

}  // namespace kani::train
