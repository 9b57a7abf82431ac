// equal_error.cc - see equal_error.h.
#include "kani/train/speaker/equal_error.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kani::train {
namespace {

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

SpeakerScores equal_error(std::vector<float> same, std::vector<float> other) {
  SpeakerScores out{.same_pairs = same.size(), .other_pairs = other.size()};
  if (same.empty() || other.empty()) return out;
  out.same_mean = mean(same);
  out.other_mean = mean(other);
  std::sort(same.begin(), same.end());
  std::sort(other.begin(), other.end());
  // Going up through all scores as thresholds, misses grow and false alarms fall.
  double least = 2;
  const auto judge = [&](float threshold) {
    const auto missed = std::lower_bound(same.begin(), same.end(), threshold) - same.begin();
    const auto alarms = other.end() - std::lower_bound(other.begin(), other.end(), threshold);
    const double miss = static_cast<double>(missed) / static_cast<double>(same.size());
    const double alarm = static_cast<double>(alarms) / static_cast<double>(other.size());
    if (std::fabs(miss - alarm) >= least) return;
    least = std::fabs(miss - alarm);
    out.equal_error = (miss + alarm) / 2;
    out.threshold = threshold;
  };
  for (const float threshold : same) judge(threshold);
  for (const float threshold : other) judge(threshold);
  return out;
}

SpeakerScores score_speakers(const std::vector<std::vector<float>>& vectors,
                             const std::vector<size_t>& speakers) {
  std::vector<float> same, other;
  for (size_t i = 0; i < vectors.size(); ++i) {
    for (size_t j = i + 1; j < vectors.size(); ++j) {
      const double cosine =
          std::inner_product(vectors[i].begin(), vectors[i].end(), vectors[j].begin(), 0.0);
      (speakers[i] == speakers[j] ? same : other).push_back(static_cast<float>(cosine));
    }
  }
  return equal_error(std::move(same), std::move(other));
}

}  // namespace kani::train
