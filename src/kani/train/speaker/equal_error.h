// equal_error.h - how well vectors tell speakers apart: the equal error rate over all pairs.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace kani::train {

struct SpeakerScores {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double equal_error = kUnknown;  // share of wrong decisions where both kinds are as frequent
  double threshold = kUnknown;    // cosine at which that is
  double same_mean = kUnknown, other_mean = kUnknown;  // cosines of pairs
  size_t same_pairs = 0, other_pairs = 0;
  bool measured() const { return same_pairs > 0 && other_pairs > 0; }
};

/// Scores of pairs of the same and of different speakers; without one of each kind nothing is
/// known.  A pair is taken for the same speaker from the threshold on.
SpeakerScores equal_error(std::vector<float> same, std::vector<float> other);

/// All pairs of unit vectors of equal size; speakers[i] is the speaker of vectors[i].
SpeakerScores score_speakers(const std::vector<std::vector<float>>& vectors,
                             const std::vector<size_t>& speakers);

}  // namespace kani::train
