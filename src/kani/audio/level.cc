// level.cc - peak, mean level and pauses.
#include "kani/audio/level.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"

namespace kani {

float peak(std::span<const float> samples) noexcept {
  float largest = 0;
  for (const float sample : samples) largest = std::max(largest, std::abs(sample));  // NaN: stays
  return largest;
}

float rms(std::span<const float> samples) noexcept {
  if (samples.empty()) return 0;
  double sum = 0;
  for (const float sample : samples) {
    if (!std::isnan(sample)) sum += static_cast<double>(sample) * static_cast<double>(sample);
  }
  return static_cast<float>(std::sqrt(sum / static_cast<double>(samples.size())));
}

uint64_t silence_samples(double seconds, int rate_hz) {
  require(seconds >= 0 && seconds <= 3600, "silence of ", seconds, " s, must be 0 to 3600");
  require(rate_hz > 0, "sample rate is ", rate_hz, " Hz, must be > 0");
  return static_cast<uint64_t>(std::llround(seconds * rate_hz));
}

}  // namespace kani
