// sound_repeat.cc - a stretch of sound that follows its own copy, see sound_faults.h.
#include <algorithm>
#include <array>
#include <cmath>

#include "kani/eval/sound_faults.h"

namespace kani {
namespace {

constexpr size_t kShortestLag = 15, kSmooth = 10;  // frames
constexpr double kAlike = 1.0 / 6;
constexpr size_t kFewest = 50;

/// Squared distance of two frames of speech taken at random: twice the sum of the variances.
double usual_distance(std::span<const CepstrumFrame> frames, double threshold) {
  std::array<double, kCepstra> sum{}, squares{};
  double count = 0;
  for (const CepstrumFrame& frame : frames) {
    if (static_cast<double>(frame.level_db) < threshold) continue;
    ++count;
    for (size_t n = 0; n < kCepstra; ++n) {
      const auto c = static_cast<double>(frame.c[n]);
      sum[n] += c;
      squares[n] += c * c;
    }
  }
  double variance = 0;
  for (size_t n = 0; n < kCepstra && count > 0; ++n)
    variance += squares[n] / count - (sum[n] / count) * (sum[n] / count);
  return 2 * variance;
}

double squared_distance(const CepstrumFrame& a, const CepstrumFrame& b) {
  double sum = 0;
  for (size_t n = 0; n < kCepstra; ++n) {
    const double d = static_cast<double>(a.c[n]) - static_cast<double>(b.c[n]);
    sum += d * d;
  }
  return sum;
}

/// The longest run of places whose distance, averaged over the next kSmooth, is below the bound.
size_t longest_run(const std::vector<double>& distances, double bound) {
  size_t run = 0, longest = 0;
  double sum = 0;
  for (size_t i = 0; i < distances.size(); ++i) {
    sum += distances[i];
    if (i >= kSmooth) sum -= distances[i - kSmooth];
    if (i + 1 < kSmooth) continue;
    run = sum / kSmooth < bound ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest == 0 ? 0 : longest + kSmooth - 1;
}

}  // namespace

Repeat longest_repeat(std::span<const CepstrumFrame> frames) {
  Repeat best;
  if (frames.size() < kFewest) return best;
  const double threshold = speech_threshold_db(frames);
  const double usual = usual_distance(frames, threshold);
  if (usual <= 0) return best;
  for (size_t lag = kShortestLag; lag <= frames.size() / 2; ++lag) {
    std::vector<double> distances;
    for (size_t i = 0; i + lag < frames.size(); ++i) {
      const bool first = static_cast<double>(frames[i].level_db) >= threshold;
      const bool second = static_cast<double>(frames[i + lag].level_db) >= threshold;
      // A pause is like a pause, which is no repetition, but does not end one either.
      if (!first && !second) continue;
      distances.push_back(first && second ? squared_distance(frames[i], frames[i + lag]) : usual);
    }
    const size_t run = longest_run(distances, usual * kAlike);
    const double seconds = static_cast<double>(run) * kCepstrumHopSeconds;
    if (2 * run < lag || seconds <= best.seconds) continue;
    best = {seconds, static_cast<double>(lag) * kCepstrumHopSeconds};
  }
  return best;
}

}  // namespace kani
