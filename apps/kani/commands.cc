// commands.cc - the list of subcommands.
#include "apps/kani/command.h"

namespace kani::cli {
namespace {

constexpr CommandEntry kCommands[] = {
    {"say", "[--] [TEXT...]", "text to sound: a file, a pipe or the loudspeaker", make_say},
    {"models list", "[FOLDER...]", "models on this machine", make_models_list},
    {"models show", "[MODEL]", "what a model is: sizes, languages, voices, licences",
     make_models_show},
    {"check", "FILE...", "verify models, codecs and voices without running them", make_check},
    {"doctor", "", "processor, memory, default model, player, folders, a self test", make_doctor},
    {"bench", "", "speed and memory as a table, CSV or JSON", make_bench},
    {"completion", "bash|zsh|fish", "print a completion script for a shell", make_completion},
    {"help", "[SUBCOMMAND]", "print help", make_help},
};

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }

const CommandEntry* find_command(std::string_view name) {
  for (const CommandEntry& entry : kCommands) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace kani::cli
