// length_statistics.h - audio_length_statistics.json as upstream writes it (training.md 5.5): how
// long the clips of a prepared set are.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace kani {

/// Frames a second that upstream counts with.
inline constexpr double kUpstreamFrameRate = 12.5;

struct LengthSummary {
  double mean = 0;
  double deviation = 0;  // of the population
  double least = 0, most = 0;
  double q25 = 0, median = 0, q75 = 0;  // linear interpolation between neighbours
};

/// All zero for no numbers.
LengthSummary summarize(std::span<const double> values);

/// The file's text for clips of these lengths in frames.
std::string length_statistics_json(std::span<const int64_t> encoded_len);

}  // namespace kani
