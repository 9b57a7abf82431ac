// progress.h - what `kani say` tells about its work: the bar on a terminal and the summary line.
// interfaces.md 2.2.
#pragma once

#include <chrono>
#include <string>

#include "apps/kani/console.h"
#include "kani/kani.h"

namespace kani::cli {

/// "4.2 s of sound in 0.9 s (RTF 0.21), first sound after 0.18 s, seed 1234"
std::string summary_line(const SpeechResult& result);

/// "sentence 2/5 [########----------------]  3.4 s of sound  RTF 0.21  5 s left".  `text` from 1, 0
/// = there is one only.
std::string bar_text(const SpeechProgress& progress, size_t text);

/// Draws at most ten times a second.
class ProgressBar {
 public:
  explicit ProgressBar(Console& console) : console_(console) {}
  void update(const SpeechProgress& progress, size_t text);

 private:
  Console& console_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace kani::cli
