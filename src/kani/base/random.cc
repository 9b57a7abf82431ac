// random.cc - xoshiro256** and its seeding.
#include "kani/base/random.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <random>

namespace kani {

Random::Random(uint64_t seed) noexcept {
  for (uint64_t& word : state_) {
    word = splitmix64(seed);
    seed += 0x9E3779B97F4A7C15u;
  }
}

uint64_t Random::next_u64() noexcept {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::next_normal() noexcept {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - next_uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * next_uniform());
}

uint64_t random_seed() {
  std::random_device device;
  return device() & 0x7FFFFFFFu;
}

}  // namespace kani
