// cancel.h - a flag that one thread (or a signal handler) sets and another looks at between steps
// of work.
#pragma once

#include <atomic>

namespace kani {

/// Thread-safe and async-signal-safe.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace kani
