// phone_agreement.h - does an utterance sound like the teacher's recording of the same sentence
// rather than like his recordings of others?  For languages that no recognizer at hand knows.
// What it shows: that the right sounds come in the right order, nearly.  What it does not: whether
// a listener would understand them; a sentence with one word missing is still nearest to its own.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kani/eval/evaluation.h"
#include "kani/eval/time_warp.h"

namespace kani {

inline constexpr size_t kMostOthers = 20;

/// One sentence's two recordings; empty = none.
struct WarpPair {
  WarpFrames model, teacher;
};

/// Fills own_nearest and own_distance_ratio of each model's Judgement that has a pair.  It is
/// compared with at most kMostOthers of the teacher's other recordings: of the same language, of
/// the same speaker if he has two others, and those nearest in length to its own, so that length
/// alone gives nothing away.  Ratio: distance to its own over the mean distance to the others.
/// `pairs` is one for each of evaluation.sentences.
void measure_phone_agreement(Evaluation& evaluation, std::span<const WarpPair> pairs);

}  // namespace kani
