// level.h - how loud a piece of sound is, and how many samples a pause has.
#pragma once

#include <cstdint>
#include <span>

namespace kani {

/// Largest absolute value; 0 for no samples.  NaN counts as 0.
float peak(std::span<const float> samples) noexcept;

/// Root of the mean square, summed in double; 0 for no samples.  NaN counts as 0.
float rms(std::span<const float> samples) noexcept;

/// A pause in whole samples, rounded to nearest: sound is joined by samples, never by bytes or
/// fractions, so that nothing behind the pause is shifted.  Throws Error(kInvalidArgument) unless
/// seconds is in [0, 3600] and the rate is positive.
uint64_t silence_samples(double seconds, int rate_hz);

}  // namespace kani
