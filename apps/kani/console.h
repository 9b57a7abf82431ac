// console.h - stderr: message lines and one progress bar that keeps out of their way.
// interfaces.md 1.2. Not here: what goes to stdout (standard_output.h), log formats (log_output.h).
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace kani::cli {

enum class Colours { kAuto, kOn, kOff };

/// What colour a message's first word has: red, yellow, none.
enum class Tone { kError, kWarning, kPlain };

/// Thread-safe.
class Console {
 public:
  Console();

  bool is_terminal() const { return terminal_; }
  /// --log-colors; kAuto asks NO_COLOR, CLICOLOR_FORCE, TERM and whether stderr is a terminal.
  void set_colours(Colours colours);

  /// One line; a bar on the screen is taken away before it.  `prefix` ("error:") is coloured, text
  /// is not.
  void line(Tone tone, std::string_view prefix, std::string_view text);
  void line(std::string_view text) { line(Tone::kPlain, {}, text); }
  /// Draws the bar anew in the terminal's last line; nothing if stderr is no terminal.
  void bar(std::string_view text);
  void clear_bar();

 private:
  void write(std::string_view text);
  void wipe();

  std::mutex mutex_;
  bool terminal_ = false;
  bool colours_ = false;
  size_t bar_columns_ = 0;
};

}  // namespace kani::cli
