// progress.cc - see progress.h.
#include "apps/kani/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kani/base/numbers.h"

namespace kani::cli {
namespace {

/// 9 s, 1:05, 2:03:04
std::string duration(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::ceil(seconds), 1e6));
  if (whole < 60) return concat(whole, " s");
  char text[40];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  }
  return text;
}

double real_time_factor(double elapsed_s, double sound_s) {
  return sound_s > 0 ? elapsed_s / sound_s : 0;
}

}  // namespace

std::string summary_line(const SpeechResult& result) {
  return concat(fixed(result.sound_s, 1), " s of sound in ", fixed(result.elapsed_s, 1), " s (RTF ",
                fixed(real_time_factor(result.elapsed_s, result.sound_s), 2),
                "), first sound after ", fixed(result.first_sound_s, 2), " s, seed ", result.seed);
}

std::string bar_text(const SpeechProgress& progress, size_t text) {
  constexpr size_t kWidth = 24;
  const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
  const auto filled = static_cast<size_t>(fraction * static_cast<double>(kWidth));
  std::string line = text > 0 ? concat("text ", text, ", ") : "";
  line +=
      concat("sentence ", std::min(progress.segment + 1, progress.segments), "/", progress.segments,
             " [", std::string(filled, '#'), std::string(kWidth - filled, '-'), "]  ",
             fixed(progress.sound_s, 1), " s of sound  RTF ",
             fixed(real_time_factor(progress.elapsed_s, progress.sound_s), 2));
  // Before a twentieth is done the guess would jump about.
  if (fraction >= 0.05)
    line += concat("  ", duration(progress.elapsed_s * (1 - fraction) / fraction), " left");
  return line;
}

void ProgressBar::update(const SpeechProgress& progress, size_t text) {
  if (!console_.is_terminal()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  console_.bar(bar_text(progress, text));
}

}  // namespace kani::cli
