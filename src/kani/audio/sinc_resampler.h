// sinc_resampler.h - the resampler whose output the speaker encoder was trained on: torchaudio's
// default, a sinc of 6 zero crossings under a Hann window with roll-off 0.99.  Short, so it lets
// some aliasing through; other uses are better served by resampler.h.
// Source: speaker.md 2 (which has the places where torchaudio rounds to float32).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kani {

/// Immutable, thread-safe.
class SincResampler {
 public:
  /// Rates in [1000, 384000] Hz; throws Error(kInvalidArgument) otherwise.
  SincResampler(int from_hz, int to_hz);

  /// One phase of the kernel: taps[i] meets input sample m * a + first + i for output m * b +
  /// phase.
  struct Phase {
    int64_t first = 0;
    std::vector<float> taps;
  };
  const std::vector<Phase>& phases() const { return phases_; }

  /// Number of output samples for `count` of input, by torchaudio's rule (rounded to float32 before
  /// it is rounded up, so for long inputs it may be one less than the exact one).
  size_t output_size(size_t count) const;
  /// Inputs on which the first `count` outputs depend.
  size_t input_needed(size_t count) const;

  /// Mono.  Beyond both ends lie zeros.  Equal rates give the samples untouched.  Sums in double.
  std::vector<float> resample(std::span<const float> samples) const;

 private:
  int64_t from_ = 1;  // a: from / gcd
  int64_t to_ = 1;    // b: to / gcd
  std::vector<Phase> phases_;
};

}  // namespace kani
