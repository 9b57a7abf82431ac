// background_save.h - checkpoints that are written while the run goes on: what is to be saved is
// copied, a thread writes the copy.  Source: training.md 14.6.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "kani/train/checkpoint.h"

namespace kani::train {

/// One save at a time; one thread at a time calls.  All processes make the same calls in the same
/// order.
class BackgroundSave {
 public:
  /// `comm` is for meeting the others now; the thread talks to them by a group of its own, in which
  /// a process may be silent for hours: a disk may be slow.
  explicit BackgroundSave(Comm& comm);
  /// Waits; a failure is then lost but for a warning.  Of several processes one may be silent, so
  /// then it waits no longer than the time-out of `comm`.
  ~BackgroundSave();
  BackgroundSave(const BackgroundSave&) = delete;
  BackgroundSave& operator=(const BackgroundSave&) = delete;

  /// Copies and begins to write; as save_checkpoint().  The one before must have been waited for.
  /// The thread calls `first` before.
  void begin(const std::filesystem::path& output, const std::filesystem::path& base,
             const Snapshot& snapshot, std::function<void()> first = {});
  /// Begun and not waited for.
  bool pending() const { return writing_.valid(); }
  /// Pending, and waiting would take no time.
  bool ended() const;
  /// Throws what writing failed with, once.
  void wait();

 private:
  std::shared_ptr<Comm> comm_;  // with the thread, which may outlive this
  std::chrono::milliseconds patience_;
  std::thread thread_;
  std::future<void> writing_;
};

}  // namespace kani::train
