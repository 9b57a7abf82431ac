// child_process.h - a program of somebody else that is run without a shell, asked and listened to,
// within a time.  For the recognizers of `kani eval`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kani::cli {

/// The words of a command line: blanks part them, ' and " keep them together, \ takes the next
/// character as it is (not inside '…').  No variables, no wildcards.  Throws
/// Error(kInvalidArgument) for no word and for a quote that does not end.
std::vector<std::string> split_command(std::string_view text, std::string_view flag);

using Deadline = std::chrono::steady_clock::time_point;

/// In a process group of its own: whatever it starts ends with it, and the terminal's Ctrl-C does
/// not reach it.  One thread at a time; several may each have one.
class ChildProcess {
 public:
  /// Standard error goes to the end of `log`.  Throws Error(kNotFound) if it cannot be started.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& log);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Kills it if it still runs.
  ~ChildProcess();

  /// These throw Error(kBusy) when the time is over, Error(kCancelled) on a signal to us, and
  /// Error(kBadInput) if the program ended before, with its status.
  void write_line(const std::string& line, Deadline deadline);
  std::string read_line(Deadline deadline);

  /// What it has printed and nobody has read.  Does not wait.
  const std::string& unread();
  void close_input();
  /// All that it still prints until it ends, which must be with status 0.
  std::string read_rest(Deadline deadline);

 private:
  bool fill(Deadline deadline);
  void wait_for(int descriptor, short events, Deadline deadline) const;
  [[noreturn]] void throw_ended();
  std::string end(Deadline deadline);

  std::string name_;
  pid_t process_ = -1;
  int in_ = -1, out_ = -1;
  std::string buffer_;
};

}  // namespace kani::cli
