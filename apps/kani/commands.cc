// commands.cc - the list of subcommands.
#include "apps/kani/command.h"

namespace kani::cli {
namespace {

constexpr CommandEntry kCommands[] = {
    {"say", "[--] [TEXT...]", "text to sound: a file, a pipe or the loudspeaker", make_say},
    {"voice add", "NAME FILE...", "make a voice from recordings", make_voice_add},
    {"voice list", "", "voices on this machine", make_voice_list},
    {"voice show", "VOICE", "what is known of a voice", make_voice_show},
    {"voice rm", "NAME...", "remove voices of the user", make_voice_rm},
    {"voice mix", "NAME 'a(0.7)+b(0.3)'", "make a voice out of others", make_voice_mix},
    {"voice export", "VOICE", "write a voice's file for another program", make_voice_export},
    {"voice import", "FOLDER...", "take over voice files of another program", make_voice_import},
    {"models list", "[FOLDER...]", "models on this machine", make_models_list},
    {"models show", "[MODEL]", "what a model is: sizes, languages, voices, licences",
     make_models_show},
    {"convert", "FOLDER", "a model in 8 or 4 bits that is used as it lies in its file",
     make_convert},
    {"check", "FILE...", "verify models, codecs and voices without running them", make_check},
    {"doctor", "", "processor, memory, default model, player, folders, a self test", make_doctor},
    {"bench", "", "speed and memory as a table, CSV or JSON", make_bench},
    {"bench quality", "[TEXT...]", "what coarser weights cost, against float32",
     make_bench_quality},
    {"eval", "--sentences FILE --out FOLDER", "how good the speech is: word errors, voice, faults",
     make_eval},
    {"completion", "bash|zsh|fish", "print a completion script for a shell", make_completion},
    {"help", "[SUBCOMMAND]", "print help", make_help},
};

constexpr CommandGroup kGroups[] = {
    {"voice", "voices: from recordings, mixes, files"},
    {"models", "models on this machine"},
};

}  // namespace

std::span<const CommandGroup> command_groups() { return kGroups; }

const CommandGroup* find_group(std::string_view name) {
  for (const CommandGroup& group : kGroups) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

std::string second_words(std::string_view group) {
  std::vector<std::string_view> words;
  for (const CommandEntry& entry : kCommands) {
    if (entry.name.starts_with(group) && entry.name.substr(group.size()).starts_with(' '))
      words.push_back(entry.name.substr(group.size() + 1));
  }
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::span<const CommandEntry> commands() { return kCommands; }

const CommandEntry* find_command(std::string_view name) {
  for (const CommandEntry& entry : kCommands) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace kani::cli
