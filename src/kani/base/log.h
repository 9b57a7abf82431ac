// log.h - one log sink for the process, set by the program; the library itself prints nothing.
// Levels as in interfaces.md 2.1.  Log at load and per request, never per token, never a user's
// text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kani/base/error.h"

namespace kani {

enum class LogLevel { kNone = 0, kError = 1, kWarning = 2, kInfo = 3, kTrace = 4, kDebug = 5 };

/// `area` is the folder that speaks ("lm", "codec"), `message` one line without a newline.
using LogSink = std::function<void(LogLevel, std::string_view area, std::string_view message)>;

/// Replaces the sink; an empty one drops everything (the default).  Lines above `level` never reach
/// the sink. Thread-safe; the sink is called under a lock, one line at a time.
void set_log_sink(LogSink sink, LogLevel level = LogLevel::kInfo);

/// True if a line of this level would reach the sink: lets callers skip building costly messages.
bool log_enabled(LogLevel level) noexcept;

/// Hands one line to the sink; never throws.
void log_line(LogLevel level, std::string_view area, std::string_view message) noexcept;

template <typename... Parts>
void log_warning(std::string_view area, const Parts&... parts) {
  if (log_enabled(LogLevel::kWarning)) log_line(LogLevel::kWarning, area, concat(parts...));
}
template <typename... Parts>
void log_info(std::string_view area, const Parts&... parts) {
  if (log_enabled(LogLevel::kInfo)) log_line(LogLevel::kInfo, area, concat(parts...));
}
template <typename... Parts>
void log_trace(std::string_view area, const Parts&... parts) {
  if (log_enabled(LogLevel::kTrace)) log_line(LogLevel::kTrace, area, concat(parts...));
}
template <typename... Parts>
void log_debug(std::string_view area, const Parts&... parts) {
  if (log_enabled(LogLevel::kDebug)) log_line(LogLevel::kDebug, area, concat(parts...));
}

}  // namespace kani
