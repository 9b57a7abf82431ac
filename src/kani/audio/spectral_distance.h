// spectral_distance.h - how different two recordings sound, in one number.  Not here: who speaks
// (speaker/), whether a recording is good (recording_quality.h).
#pragma once

#include <span>

namespace kani {

/// Log-spectral distance in decibels: of frames of 512 samples (Hann, every 256), the root of the
/// mean square difference of 10 log10(power), averaged over the frames.  Power below -80 dB of full
/// scale counts as that, so that silence is like silence.  0 = the same spectrum; phase does not
/// matter.  Of the common length; 0 if that is less than a frame.  Source: A. Gray, J. Markel,
/// "Distance measures for speech processing", 1976.
double spectral_distance_db(std::span<const float> a, std::span<const float> b);

/// 10 log10 of the power of `exact` over that of the difference, over the common length.  Infinite
/// if there is no difference.
double signal_to_noise_db(std::span<const float> exact, std::span<const float> tested);

}  // namespace kani
