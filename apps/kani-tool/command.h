// command.h - how a command of kani-tool declares its flags.  CLI11, which costs every file that
// includes it six seconds of compiling, is in command.cc and main.cc alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace kani::tool {

/// What the chosen command does once the command line is parsed.
using Action = std::function<void()>;

/// Adds a subcommand.  The targets of its flags must outlive the parse; what they hold is the
/// default.
class Command {
 public:
  Command(CLI::App& app, const char* name, const char* help);

  /// A value that must be given: a path, or several.  `names` without a dash: by its place.
  template <class T>
  void need(const char* names, T& target, const char* help);
  /// A value that may be given: a path, a string, a number, or a std::optional of one.
  template <class T>
  void take(const char* names, T& target, const char* help);
  void toggle(const char* names, bool& target, const char* help);
  void choice(const char* names, std::string& target, std::vector<std::string> choices,
              const char* help);
  /// `action` becomes `what` if this command is the one.
  void runs(Action& action, Action what);

 private:
  CLI::App* app_;
};

}  // namespace kani::tool
