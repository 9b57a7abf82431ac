#include "kani/base/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kani {
namespace {

TEST(Random, splitmix_matches_its_published_first_value) {
  EXPECT_EQ(splitmix64(0), 0xE220A8397B1DCDAFu);
}

TEST(Random, same_seed_gives_the_same_numbers) {
  Random a(7), b(7), c(8);
  const uint64_t first = a.next_u64();
  EXPECT_EQ(first, b.next_u64());
  EXPECT_NE(first, c.next_u64());
}

TEST(Random, uniform_and_normal_have_the_right_moments) {
  Random random(1);
  double sum = 0, normal_sum = 0, normal_squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.next_uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    const double n = random.next_normal();
    normal_sum += n;
    normal_squares += n * n;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 0.02);
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 0.03);
}

}  // namespace
}  // namespace kani
