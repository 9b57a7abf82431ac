// voice_distance.cc - see voice_distance.h.
#include "kani/eval/voice_distance.h"

#include <algorithm>

namespace kani {
namespace {

constexpr size_t kFewestFrames = 30;
constexpr double kSmallestVariance = 1e-4;  // a synthetic tone has none

}  // namespace

std::optional<VoiceSpread> voice_spread(std::span<const CepstrumFrame> frames) {
  const double threshold = speech_threshold_db(frames);
  VoiceSpread spread;
  std::array<double, kCepstra> squares{};
  for (const CepstrumFrame& frame : frames) {
    if (static_cast<double>(frame.level_db) < threshold) continue;
    ++spread.frames;
    for (size_t n = 0; n < kCepstra; ++n) {
      const auto c = static_cast<double>(frame.c[n]);
      spread.mean[n] += c;
      squares[n] += c * c;
    }
  }
  if (spread.frames < kFewestFrames) return std::nullopt;
  const auto count = static_cast<double>(spread.frames);
  for (size_t n = 0; n < kCepstra; ++n) {
    spread.mean[n] /= count;
    spread.variance[n] =
        std::max(squares[n] / count - spread.mean[n] * spread.mean[n], kSmallestVariance);
  }
  return spread;
}

double voice_distance(const VoiceSpread& a, const VoiceSpread& b) {
  double sum = 0;
  for (size_t n = 0; n < kCepstra; ++n) {
    const double va = a.variance[n], vb = b.variance[n], apart = a.mean[n] - b.mean[n];
    sum += va / vb + vb / va - 2 + apart * apart * (1 / va + 1 / vb);
  }
  return sum / 4 / kCepstra;
}

}  // namespace kani
