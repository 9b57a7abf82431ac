// console.cc - see console.h.
#include "apps/kani/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

bool set_in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Console::Console() : terminal_(isatty(STDERR_FILENO) == 1) { set_colours(Colours::kAuto); }

void Console::set_colours(Colours colours) {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  const bool wanted = std::getenv("NO_COLOR") == nullptr && !dumb;
  const char* force = std::getenv("CLICOLOR_FORCE");
  const bool forced = set_in_environment("CLICOLOR_FORCE") && std::string_view(force) != "0";
  const std::lock_guard lock(mutex_);
  colours_ =
      colours == Colours::kOn || (colours == Colours::kAuto && wanted && (terminal_ || forced));
}

void Console::line(Tone tone, std::string_view prefix, std::string_view text) {
  const std::lock_guard lock(mutex_);
  wipe();
  std::string out;
  if (!prefix.empty()) {
    const bool coloured = colours_ && tone != Tone::kPlain;
    if (coloured) out += tone == Tone::kError ? "\033[1;31m" : "\033[1;33m";
    out += prefix;
    if (coloured) out += "\033[0m";
    out += ' ';
  }
  out += text;
  out += '\n';
  write(out);
}

void Console::bar(std::string_view text) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  // The last column stays free: some terminals wrap as soon as it is filled.
  const size_t limit = terminal_columns() - 1;
  std::u32string shown = to_utf32(text);
  if (shown.size() > limit) shown.resize(limit);
  const size_t columns = shown.size();
  if (columns < bar_columns_) shown.append(std::min(bar_columns_, limit) - columns, U' ');
  write("\r" + to_utf8(shown));
  bar_columns_ = columns;
}

void Console::clear_bar() {
  const std::lock_guard lock(mutex_);
  wipe();
}

// Blanks instead of an escape sequence: it works on every terminal, dumb ones too.
void Console::wipe() {
  if (bar_columns_ == 0) return;
  write("\r" + std::string(bar_columns_, ' ') + "\r");
  bar_columns_ = 0;
}

void Console::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace kani::cli
