// command.h - what a subcommand is, and what it gets to work with.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/kani/common_flags.h"
#include "apps/kani/console.h"
#include "apps/kani/flags.h"
#include "apps/kani/standard_output.h"

namespace kani::cli {

class ErrorPrinter;

/// Where a flag's value came from.
enum class Origin { kDefault, kConfig, kEnvironment, kCommandLine };

struct Setting {
  std::string flag;   // "output-file"
  std::string value;  // empty = none
  Origin origin = Origin::kDefault;
  std::string where;  // the variable, or file and line
};

struct Context {
  Console& console;
  StandardOutput& out;
  ErrorPrinter& errors;
  /// Flags of this run with their origins.
  std::vector<Setting> settings;
};

/// One subcommand: an options struct that its flags fill, and what is done with it.  Used once.
class Command {
 public:
  virtual ~Command() = default;
  virtual void define(FlagSet& flags) = 0;
  /// The exit status.  Throws Error.
  virtual int run(Context& context) = 0;

  CommonOptions common;  // every subcommand has these; filled before run()
};

struct CommandEntry {
  std::string_view name;      // "say", "models show"
  std::string_view synopsis;  // arguments behind "kani NAME [flags]"
  std::string_view summary;   // lower case, no full stop
  std::unique_ptr<Command> (*make)();
};

/// All subcommands in the order of the help.
std::span<const CommandEntry> commands();
/// Subcommands whose names begin with one word.
struct CommandGroup {
  std::string_view name;
  std::string_view summary;
};
std::span<const CommandGroup> command_groups();
/// nullptr if no subcommand's name begins with this word and goes on.
const CommandGroup* find_group(std::string_view name);
/// "list or show", "add, list or rm".
std::string second_words(std::string_view group);

/// By its whole name; nullptr if there is none.
const CommandEntry* find_command(std::string_view name);

std::unique_ptr<Command> make_say();
std::unique_ptr<Command> make_models_list();
std::unique_ptr<Command> make_models_show();
std::unique_ptr<Command> make_voice_add();
std::unique_ptr<Command> make_voice_list();
std::unique_ptr<Command> make_voice_show();
std::unique_ptr<Command> make_voice_rm();
std::unique_ptr<Command> make_voice_mix();
std::unique_ptr<Command> make_voice_export();
std::unique_ptr<Command> make_voice_import();
std::unique_ptr<Command> make_convert();
std::unique_ptr<Command> make_check();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_bench();
std::unique_ptr<Command> make_bench_quality();
std::unique_ptr<Command> make_eval();
std::unique_ptr<Command> make_completion();
std::unique_ptr<Command> make_help();

}  // namespace kani::cli
