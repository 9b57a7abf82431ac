// build_progress.h - how far a build is: one line that is drawn again and again on a terminal, and
// a line now and then elsewhere.  interfaces.md 1.2.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "kani/dataset/build_work.h"

namespace kani {

/// "312 of 1000 records, 4 rejected, 0.42 h of clips, 3.1 clips/s, 3:42 left".  Speed and time left
/// are those of this run; left out before anything is done.  "3 of 10 recordings are cut" before.
std::string progress_text(const WorkCounts& counts, double elapsed_s);

/// Draws ten times a second on a terminal, elsewhere writes a line every ten seconds.  One thread
/// at a time.
class BuildProgress {
 public:
  BuildProgress(std::FILE* out, bool terminal)
      : out_(out), terminal_(terminal), next_(start_ + std::chrono::seconds(terminal ? 0 : 10)) {}
  ~BuildProgress() { clear(); }
  BuildProgress(const BuildProgress&) = delete;
  BuildProgress& operator=(const BuildProgress&) = delete;

  void tell(const WorkCounts& counts);
  /// Takes the line away, for whatever is printed next.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  std::FILE* out_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point next_;
};

}  // namespace kani
