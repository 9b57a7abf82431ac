// help.h - help texts, written from the flags' definitions.
#pragma once

#include <string>

#include "apps/kani/command.h"

namespace kani::cli {

/// What `kani --help` prints: the subcommands.
std::string program_help();
/// What `kani say --help` prints: its flags.
std::string command_help(const CommandEntry& entry);

}  // namespace kani::cli
