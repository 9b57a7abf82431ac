// sampler.cc - see sampler.h.
#include "kani/lm/sampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kani/base/error.h"

namespace kani {

void Sampling::validate() const {
  require(temperature >= 0 && temperature <= 100, "temperature is ", temperature,
          ", must be 0 to 100");
  require(top_k >= 0, "top-k is ", top_k, ", must be 0 (off) or more");
  require(top_p > 0 && top_p <= 1, "top-p is ", top_p, ", must be above 0 and at most 1");
  require(min_p >= 0 && min_p <= 1, "min-p is ", min_p, ", must be 0 to 1");
  require(repetition_penalty > 0 && repetition_penalty <= 100, "repetition penalty is ",
          repetition_penalty, ", must be above 0 and at most 100");
}

Sampler::Sampler(const Sampling& settings, uint64_t seed) : settings_(settings), random_(seed) {
  settings_.validate();
}

std::span<const Candidate> Sampler::distribution(std::span<const float> logits,
                                                 std::span<const int32_t> seen) {
  assert(!logits.empty());
  scores_.assign(logits.begin(), logits.end());
  const auto penalty = static_cast<float>(settings_.repetition_penalty);
  if (penalty != 1.0F) {
    for (const int32_t index : seen) {
      float& z = scores_[static_cast<size_t>(index)];
      z = z > 0 ? z / penalty : z * penalty;
    }
  }
  candidates_.clear();
  if (settings_.temperature == 0) {
    const auto best = std::max_element(scores_.begin(), scores_.end());
    candidates_.push_back({static_cast<int32_t>(best - scores_.begin()), 1.0F});
    return candidates_;
  }
  const auto temperature = static_cast<float>(settings_.temperature);
  for (size_t i = 0; i < scores_.size(); ++i) {
    scores_[i] /= temperature;
    candidates_.push_back({static_cast<int32_t>(i), scores_[i]});
  }
  keep_top_k();
  keep_top_p();
  normalize();
  if (settings_.min_p > 0) {
    float top = 0;
    for (const Candidate& c : candidates_) top = std::max(top, c.probability);
    const float limit = static_cast<float>(settings_.min_p) * top;
    std::erase_if(candidates_, [&](const Candidate& c) { return c.probability < limit; });
    double total = 0;
    for (const Candidate& c : candidates_) total += c.probability;
    for (Candidate& c : candidates_) c.probability = static_cast<float>(c.probability / total);
  }
  return candidates_;
}

// Drops every score below the k-th largest; scores tied with it stay.
void Sampler::keep_top_k() {
  const auto k = static_cast<size_t>(settings_.top_k);
  if (k == 0 || k >= candidates_.size()) return;
  const auto kth = scores_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scores_.begin(), kth, scores_.end(), std::greater<>());
  const float limit = *kth;
  std::erase_if(candidates_, [&](const Candidate& c) { return c.probability < limit; });
}

// From the smallest up, drops what adds up to at most 1 - p; the largest always stays.
void Sampler::keep_top_p() {
  if (settings_.top_p >= 1) return;
  sorted_ = candidates_;
  std::stable_sort(sorted_.begin(), sorted_.end(), [](const Candidate& a, const Candidate& b) {
    return a.probability < b.probability;
  });
  const float top = sorted_.back().probability;
  double total = 0;
  for (Candidate& c : sorted_) {
    c.probability = std::exp(c.probability - top);
    total += c.probability;
  }
  const double limit = (1.0 - settings_.top_p) * total;
  double below = 0;
  size_t dropped = 0;
  while (dropped + 1 < sorted_.size()) {
    below += sorted_[dropped].probability;
    if (below > limit) break;
    ++dropped;
  }
  if (dropped == 0) return;
  std::vector<bool> drop(scores_.size());
  for (size_t i = 0; i < dropped; ++i) drop[static_cast<size_t>(sorted_[i].index)] = true;
  std::erase_if(candidates_,
                [&](const Candidate& c) { return drop[static_cast<size_t>(c.index)]; });
}

void Sampler::normalize() {
  float top = candidates_.front().probability;
  for (const Candidate& c : candidates_) top = std::max(top, c.probability);
  double total = 0;
  for (Candidate& c : candidates_) {
    c.probability = std::exp(c.probability - top);
    total += c.probability;
  }
  for (Candidate& c : candidates_) c.probability = static_cast<float>(c.probability / total);
}

int32_t Sampler::pick(std::span<const float> logits, std::span<const int32_t> seen) {
  const std::span<const Candidate> left = distribution(logits, seen);
  if (settings_.temperature == 0) return left.front().index;
  double total = 0;
  for (const Candidate& c : left) total += c.probability;
  const double target = random_.next_uniform() * total;
  double reached = 0;
  for (const Candidate& c : left) {
    reached += c.probability;
    if (target < reached) return c.index;
  }
  return left.back().index;
}

}  // namespace kani
