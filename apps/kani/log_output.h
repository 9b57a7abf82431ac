// log_output.h - where the library's log lines go: stderr and a file, as text or JSON lines.
// interfaces.md 2.1, 9.2.
#pragma once

#include <string>
#include <string_view>

#include "apps/kani/console.h"
#include "kani/base/log.h"

namespace kani::cli {

struct LogOptions {
  int verbosity = 3;   // 0 none, 1 error, 2 warning, 3 info, 4 trace, 5 debug
  bool quiet = false;  // stderr shows errors alone; the file is not touched by it
  std::string file;    // empty = none
  bool json_lines = false;
  bool timestamps = false;  // on stderr; a file always has them
};

/// Takes over the process's log sink while it lives.
class LogOutput {
 public:
  /// Throws Error(kCannotWrite) if the file cannot be opened; it is appended to.
  LogOutput(const LogOptions& options, Console& console);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();

  /// A line for the file alone: what stderr shows in a form of its own.
  void to_file(LogLevel level, std::string_view area, std::string_view message);

 private:
  void write(LogLevel level, std::string_view area, std::string_view message);

  LogOptions options_;
  Console& console_;
  LogLevel stderr_level_;
  int file_ = -1;
};

}  // namespace kani::cli
