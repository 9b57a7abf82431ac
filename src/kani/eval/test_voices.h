// test_voices.h - sounds for tests: syllables of made-up voices, pauses.
#pragma once

#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

namespace kani {

inline constexpr int kTestRateHz = 16000;

/// Two formants of each "vowel"; `stretch` moves them all, as a longer or shorter throat does.
inline void add_vowel(std::vector<float>& out, char vowel, double seconds, double pitch_hz = 120,
                      double stretch = 1, double loudness = 0.3) {
  const double first = vowel == 'a' ? 750 : vowel == 'i' ? 280 : vowel == 'u' ? 320 : 520;
  const double second = vowel == 'a' ? 1200 : vowel == 'i' ? 2300 : vowel == 'u' ? 800 : 1800;
  const auto count = static_cast<size_t>(seconds * kTestRateHz);
  for (size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / kTestRateHz;
    double sample = 0;
    for (int k = 1; pitch_hz * k < 5000; ++k) {
      const double hz = pitch_hz * k;
      const double a = (hz - first * stretch) / 90, b = (hz - second * stretch) / 140;
      sample += (1 / (1 + a * a) + 0.5 / (1 + b * b)) * std::sin(2 * std::numbers::pi * hz * t);
    }
    // Rises and falls within each vowel, as syllables do.
    const double shape =
        std::sin(std::numbers::pi * static_cast<double>(i) / static_cast<double>(count));
    out.push_back(static_cast<float>(loudness * std::sqrt(shape) * sample));
  }
}

inline void add_silence(std::vector<float>& out, double seconds) {
  out.resize(out.size() + static_cast<size_t>(seconds * kTestRateHz));
}

/// A vowel a letter, 0.15 s each; '-' is a pause as long.
inline std::vector<float> babble(std::string_view vowels, double pitch_hz = 120, double stretch = 1,
                                 double seconds = 0.15) {
  std::vector<float> out;
  for (const char vowel : vowels) {
    if (vowel == '-') {
      add_silence(out, seconds);
    } else {
      add_vowel(out, vowel, seconds, pitch_hz, stretch);
    }
  }
  return out;
}

}  // namespace kani
