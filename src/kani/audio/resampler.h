// resampler.h - sound from one sample rate to another, streaming (libsoxr).
// Not for the speaker encoder: its features depend on its own kernel (speaker.md 2).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace kani {

/// kMedium: 16 bit, wide transition, delays 22,050 -> 24,000 by 3.9 ms.  kHigh: 20 bit, 26.6 ms.
enum class ResamplerQuality { kMedium, kHigh };

/// Mono.  Equal rates pass samples through untouched.  One thread at a time.
/// The output does not depend on how the input is cut into pushes.
class Resampler {
 public:
  /// Rates in [1000, 384000] Hz; throws Error(kInvalidArgument) otherwise.
  Resampler(int from_hz, int to_hz, ResamplerQuality quality);
  Resampler(Resampler&&) noexcept;
  Resampler& operator=(Resampler&&) noexcept;
  ~Resampler();

  /// Appends what is ready to `out`.
  void push(std::span<const float> samples, std::vector<float>& out);
  /// Appends the rest: in all round(samples in * to / from) samples, ties up.  Then the resampler
  /// can be used again from the start.
  void finish(std::vector<float>& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All of `samples` at once.
std::vector<float> resample(std::span<const float> samples, int from_hz, int to_hz,
                            ResamplerQuality quality);

}  // namespace kani
