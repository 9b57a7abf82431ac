// sampler.h - from logits to one token with the semantics of upstream's library (language-model.md
// 9), seeded. Order: repetition penalty, temperature, top-k, top-p, min-p, softmax, draw.
// Restriction to legal tokens is the caller's: logits hold the legal ones only. Generator:
// kani::Random (xoshiro256**); one 53-bit uniform a token, inverse CDF over candidates in
// increasing index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kani/base/random.h"

namespace kani {

struct Sampling {
  double temperature = 0.6;         // 0 = the largest logit, lowest index on ties
  int top_k = 50;                   // 0 = off
  double top_p = 0.95;              // 1 = off
  double min_p = 0.0;               // 0 = off
  double repetition_penalty = 1.1;  // 1 = off

  /// Throws Error(kInvalidArgument) naming the value and its range.
  void validate() const;
};

struct Candidate {
  int32_t index = 0;
  float probability = 0;
};

/// One thread at a time; buffers are kept between calls.
class Sampler {
 public:
  Sampler(const Sampling& settings, uint64_t seed);

  /// The candidates that are left, in increasing index, with probabilities that sum to 1.  `seen`:
  /// distinct indexes into logits that occurred before (for the penalty).  temperature 0: the
  /// largest alone.
  std::span<const Candidate> distribution(std::span<const float> logits,
                                          std::span<const int32_t> seen);

  /// Draws one index.  With temperature 0 no random number is used.
  int32_t pick(std::span<const float> logits, std::span<const int32_t> seen);

 private:
  void keep_top_k();
  void keep_top_p();
  void normalize();

  Sampling settings_;
  Random random_;
  std::vector<float> scores_;          // all logits, penalized; then scratch of keep_top_k
  std::vector<Candidate> candidates_;  // probability holds the score until normalize()
  std::vector<Candidate> sorted_;
};

}  // namespace kani
