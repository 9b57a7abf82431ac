// equal_error.h - how well vectors tell speakers apart: the equal error rate over all pairs.
#pragma once

#include <vector>

namespace kani::train {

struct SpeakerScores {
  double equal_error = 0;  // share of wrong decisions where both kinds of error are as frequent
  double threshold = 0;    // cosine at which that is
  double same_mean = 0, other_mean = 0;  // cosines of pairs
  size_t same_pairs = 0, other_pairs = 0;
};

/// Scores of pairs of the same and of different speakers; both must hold at least one, otherwise
/// everything is 0.  A pair is taken for the same speaker from the threshold on.
SpeakerScores equal_error(std::vector<float> same, std::vector<float> other);

/// All pairs of unit vectors of equal size; speakers[i] is the speaker of vectors[i].
SpeakerScores score_speakers(const std::vector<std::vector<float>>& vectors,
                             const std::vector<size_t>& speakers);

}  // namespace kani::train
