// clip_limits.h - what a clip must be like to be trained on.  Numbers of reliability.md 5.7; where
// that names none (speech, noise, script) the comment says why this one.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace kani {

/// Length of a voice that an encoder may have made.
inline constexpr double kShortestVoice = 0.5, kLongestVoice = 1.05;

/// False also for numbers that are not finite.
inline bool is_usable_voice(std::span<const float> voice) {
  double squares = 0;
  for (const float value : voice) squares += double{value} * double{value};
  const double length = std::sqrt(squares);
  return length >= kShortestVoice && length <= kLongestVoice;
}

struct ClipLimits {
  double min_seconds = 0.3;  // after trimming
  double max_seconds = 40;
  double max_clipped_share = 0.01;
  double max_silent_share = 0.5;
  double min_characters_per_second = 4;
  double max_characters_per_second = 35;
  size_t max_characters = 1000;

  // Of the 20 ms frames.  Whispered and breathy voices have few voiced ones, tones and hums none:
  // low enough to lose only what is no speech at all.
  double min_speech_share = 0.05;
  // Off: the estimate says nothing of a clip without pauses.
  double min_noise_distance_db = 0;
  // Of the letters.  A Russian text may name an English film, an English one may not be Cyrillic.
  double min_script_share = 0.5;
};

}  // namespace kani
