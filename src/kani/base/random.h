// random.h - seeded random numbers.  The same seed gives the same numbers on every machine, so the
// same sound. Generator: xoshiro256** (Blackman & Vigna 2018), seeded through splitmix64.  Not for
// secrets.
#pragma once

#include <cstdint>

namespace kani {

/// splitmix64's output function: a well-mixed 64-bit value of x.
constexpr uint64_t splitmix64(uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) noexcept;
  uint64_t next_u64() noexcept;
  /// Uniform in [0, 1) with 53 random bits.
  double next_uniform() noexcept { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  /// Normal with mean 0 and deviation 1 (Box-Muller, one value per two uniforms).
  double next_normal() noexcept;

 private:
  uint64_t state_[4];
};

/// A seed that differs from call to call (system entropy), below 2^31 so that it is easy to type
/// again.
uint64_t random_seed();

}  // namespace kani
