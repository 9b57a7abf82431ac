// log.cc - the process-wide log sink.
#include "kani/base/log.h"

#include <atomic>
#include <mutex>

namespace kani {
namespace {

struct SinkState {
  std::mutex mutex;
  LogSink sink;
};

SinkState& sink_state() {
  static SinkState state;
  return state;
}

std::atomic<int> sink_level{0};

}  // namespace

void set_log_sink(LogSink sink, LogLevel level) {
  SinkState& state = sink_state();
  const std::lock_guard lock(state.mutex);
  sink_level.store(sink ? static_cast<int>(level) : 0, std::memory_order_relaxed);
  state.sink = std::move(sink);
}

bool log_enabled(LogLevel level) noexcept {
  return static_cast<int>(level) <= sink_level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view area, std::string_view message) noexcept {
  if (!log_enabled(level)) return;
  SinkState& state = sink_state();
  try {
    const std::lock_guard lock(state.mutex);
    if (state.sink) state.sink(level, area, message);
  } catch (...) {  // a log line must never end a request
  }
}

}  // namespace kani
