// spectral_distance_test.cc - distances that can be told by hand.
#include "kani/audio/spectral_distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "kani/base/random.h"

namespace kani {
namespace {

std::vector<float> noise(uint64_t seed, float level) {
  Random random(seed);
  std::vector<float> x(8000);
  for (float& v : x) v = level * (static_cast<float>(random.next_u64() % 20001) / 10000.0F - 1.0F);
  return x;
}

std::vector<float> scaled(std::vector<float> x, float factor) {
  for (float& v : x) v *= factor;
  return x;
}

TEST(SpectralDistance, same_sound_is_no_distance) {
  const auto x = noise(1, 0.5F);
  EXPECT_EQ(spectral_distance_db(x, x), 0);
  EXPECT_EQ(signal_to_noise_db(x, x), INFINITY);
}

TEST(SpectralDistance, ten_times_louder_is_twenty_decibels_in_every_bin) {
  const auto x = noise(2, 0.9F);
  EXPECT_NEAR(spectral_distance_db(x, scaled(x, 0.1F)), 20, 0.01);
  EXPECT_NEAR(signal_to_noise_db(x, scaled(x, 0.9F)), 20, 0.01);
}

TEST(SpectralDistance, phase_does_not_matter) {
  const auto x = noise(3, 0.5F);
  EXPECT_NEAR(spectral_distance_db(x, scaled(x, -1)), 0, 1e-9);
  EXPECT_NEAR(signal_to_noise_db(x, scaled(x, -1)), -6.02, 0.01);
}

TEST(SpectralDistance, other_noise_is_far_and_both_orders_agree) {
  const auto a = noise(4, 0.5F), b = noise(5, 0.5F);
  EXPECT_GT(spectral_distance_db(a, b), 6);
  EXPECT_DOUBLE_EQ(spectral_distance_db(a, b), spectral_distance_db(b, a));
}

TEST(SpectralDistance, what_nobody_hears_is_silence) {
  EXPECT_EQ(spectral_distance_db(noise(6, 1e-7F), noise(7, 1e-8F)), 0);
  EXPECT_GT(spectral_distance_db(noise(6, 1e-2F), noise(7, 1e-8F)), 10);
}

TEST(SpectralDistance, less_than_a_frame_is_nothing) {
  EXPECT_EQ(spectral_distance_db(std::vector<float>(511, 0.5F), std::vector<float>(8000)), 0);
  EXPECT_EQ(spectral_distance_db({}, {}), 0);
}

}  // namespace
}  // namespace kani
