// phone_agreement.cc - see phone_agreement.h.
#include "kani/eval/phone_agreement.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kani {
namespace {

size_t apart(size_t a, size_t b) { return a > b ? a - b : b - a; }

/// Indices of the recordings that sentence `own` is compared with.
std::vector<size_t> others_of(const Evaluation& evaluation, std::span<const WarpPair> pairs,
                              size_t own) {
  const EvalSentence& sentence = evaluation.sentences[own].sentence;
  std::vector<size_t> same_speaker, any;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const EvalSentence& other = evaluation.sentences[i].sentence;
    if (i == own || pairs[i].teacher.empty() || other.language != sentence.language ||
        other.text == sentence.text)
      continue;
    any.push_back(i);
    if (other.speaker == sentence.speaker) same_speaker.push_back(i);
  }
  std::vector<size_t> others = same_speaker.size() >= 2 ? std::move(same_speaker) : std::move(any);
  const size_t length = pairs[own].teacher.size();
  std::stable_sort(others.begin(), others.end(), [&](size_t a, size_t b) {
    return apart(pairs[a].teacher.size(), length) < apart(pairs[b].teacher.size(), length);
  });
  others.resize(std::min(others.size(), kMostOthers));
  return others;
}

}  // namespace

void measure_phone_agreement(Evaluation& evaluation, std::span<const WarpPair> pairs) {
  assert(pairs.size() == evaluation.sentences.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    std::optional<Judgement>& judgement = evaluation.sentences[i].model;
    if (!judgement || pairs[i].teacher.empty()) continue;
    const std::vector<size_t> others = others_of(evaluation, pairs, i);
    if (others.empty()) continue;
    if (pairs[i].model.empty()) {  // nothing was said: not near to anything
      judgement->own_nearest = false;
      continue;
    }
    const double own = warp_distance(pairs[i].model, pairs[i].teacher);
    double sum = 0, nearest = INFINITY;
    for (const size_t other : others) {
      const double distance = warp_distance(pairs[i].model, pairs[other].teacher);
      sum += distance;
      nearest = std::min(nearest, distance);
    }
    judgement->own_nearest = std::isfinite(own) && own < nearest;
    if (std::isfinite(own) && std::isfinite(sum) && sum > 0)
      judgement->own_distance_ratio = own / (sum / static_cast<double>(others.size()));
  }
}

}  // namespace kani
