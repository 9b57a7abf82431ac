// log_output.cc - see log_output.h.  A log library would give a time stamp and an appended line;
// that is not enough to need one.
#include "apps/kani/log_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "apps/kani/json_text.h"
#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

constexpr size_t kMaxLine =
    4000;  // bytes; stays below PIPE_BUF, so that lines of two programs do not mix

std::string_view level_name(LogLevel level) {
  static constexpr std::string_view kNames[] = {"none", "error", "warning",
                                                "info", "trace", "debug"};
  return kNames[static_cast<size_t>(level)];
}

/// 2026-01-31T12:00:00.123Z
std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(milliseconds));
  return text;
}

std::string timed_line(LogLevel level, std::string_view area, std::string_view message) {
  return concat(utc_now(), " ", level_name(level), " ", area, " ", printable(message, kMaxLine));
}

std::string log_json(LogLevel level, std::string_view area, std::string_view message) {
  return json_line({{"time", utc_now()},
                    {"level", level_name(level)},
                    {"area", area},
                    {"message", printable(message, kMaxLine)}});
}

Tone tone_of(LogLevel level) {
  if (level == LogLevel::kError) return Tone::kError;
  return level == LogLevel::kWarning ? Tone::kWarning : Tone::kPlain;
}

}  // namespace

LogOutput::LogOutput(const LogOptions& options, Console& console)
    : options_(options),
      console_(console),
      stderr_level_(static_cast<LogLevel>(options.quiet ? std::min(options.verbosity, 1)
                                                        : options.verbosity)) {
  if (!options_.file.empty()) {
    file_ = open(options_.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0) throw_cannot_write(options_.file, errno);
  }
  set_log_sink([this](LogLevel level, std::string_view area,
                      std::string_view message) { write(level, area, message); },
               static_cast<LogLevel>(options_.verbosity));
}

LogOutput::~LogOutput() {
  set_log_sink({});
  if (file_ >= 0) close(file_);
}

void LogOutput::to_file(LogLevel level, std::string_view area, std::string_view message) {
  if (file_ < 0 || static_cast<int>(level) > options_.verbosity) return;
  std::string line =
      options_.json_lines ? log_json(level, area, message) : timed_line(level, area, message);
  line += '\n';
  // One call for one line; a full disk loses log lines, never the sound.
  [[maybe_unused]] const ssize_t written = ::write(file_, line.data(), line.size());
}

void LogOutput::write(LogLevel level, std::string_view area, std::string_view message) {
  to_file(level, area, message);
  if (level > stderr_level_) return;
  if (options_.json_lines) {
    console_.line(log_json(level, area, message));
  } else if (options_.timestamps) {
    console_.line(timed_line(level, area, message));
  } else {
    console_.line(tone_of(level), concat("kani: ", level_name(level), ":"),
                  concat(printable(message, kMaxLine), " (", area, ")"));
  }
}

}  // namespace kani::cli
