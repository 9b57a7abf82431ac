// loudness.h - how loud a recording is to people, and how high its peaks are between samples.
// Source: ITU-R BS.1770-4 (K weighting, gates, true peak), EBU Tech 3341 for the test signals.
// Not here: compression and limiting over time; a clip gets one gain.
#pragma once

#include <span>
#include <vector>

namespace kani {

/// Below the absolute gate there is no loudness.
inline constexpr double kLoudnessGateLufs = -70;

/// Integrated loudness in LUFS of channels of equal length and weight 1 (left, right, centre); mono
/// is one channel.  Blocks of 400 ms every 100 ms, gates at -70 LUFS and 10 LU below what is left.
/// A sound shorter than a block is one block.  Never below kLoudnessGateLufs, which silence has.
/// Rates in [8000, 192000] Hz: Error(kInvalidArgument) otherwise.
double integrated_loudness(std::span<const std::span<const float>> channels, int rate_hz);
double integrated_loudness(std::span<const float> mono, int rate_hz);

/// Highest peak of the sound between its samples, in dB of full scale, at least -200: at four times
/// the rate (as often as 384 kHz allow).
double true_peak_db(std::span<const float> mono, int rate_hz);

struct LoudnessTarget {
  double loudness_lufs = -23;
  double true_peak_db = -1;
  double most_gain_db = 20;  // up or down
};

/// Gain in dB that brings a sound to the target: as far as most_gain_db, and up only as far as its
/// peaks allow.  0 for silence.
double loudness_gain_db(double loudness_lufs, double true_peak_db, const LoudnessTarget& target);

/// Second-order sections of the K filter at a rate, for tests against the standard's table.
struct Biquad {
  double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;
};
Biquad k_weighting_shelf(int rate_hz);
Biquad k_weighting_high_pass(int rate_hz);

}  // namespace kani
