// program.h - from the command line to a subcommand and from its end to an exit status.
// interfaces.md 1.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/kani/command.h"

namespace kani::cli {

/// A subcommand with its flags declared.
class ParsedCommand {
 public:
  explicit ParsedCommand(const CommandEntry& entry);
  ~ParsedCommand();

  const CommandEntry& entry() const { return entry_; }
  CLI::App& app() const { return *app_; }
  Command& command() const { return *command_; }

  /// False if --help is among the arguments.  Throws Error(kInvalidArgument).
  bool parse(std::vector<std::string> arguments);

 private:
  const CommandEntry& entry_;
  std::unique_ptr<CLI::App> app_;
  std::unique_ptr<Command> command_;
};

/// Prints errors in the form of interfaces.md 1.3: one line and perhaps a hint, or one JSON
/// document.
class ErrorPrinter {
 public:
  ErrorPrinter(Console& console, bool json) : console_(console), json_(json) {}
  void set_json(bool json) { json_ = json; }
  /// Errors go to this log's file, too; nullptr ends that.
  void set_log(LogOutput* log) { log_ = log; }
  void print(std::string_view code, std::string_view message, std::string_view hint);

 private:
  Console& console_;
  bool json_;
  LogOutput* log_ = nullptr;
};

/// The whole program; never throws.
int run_program(std::vector<std::string> arguments) noexcept;

}  // namespace kani::cli
