// Means and their bounds.
#include "kani/eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kani/base/random.h"

namespace kani {
namespace {

TEST(Statistics, median_of_odd_and_even_numbers) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(Statistics, a_ratio_is_that_of_the_sums) {
  const Part parts[] = {{1, 2}, {0, 8}, {4, 10}};
  const Figure figure = ratio_figure(parts, 1);
  EXPECT_EQ(figure.n, 3U);
  EXPECT_DOUBLE_EQ(figure.mean, 5.0 / 20);
  EXPECT_DOUBLE_EQ(figure.median, 0.4);
  EXPECT_GE(figure.low, 0);
  EXPECT_LE(figure.high, 0.5);
}

TEST(Statistics, bounds_follow_from_the_seed) {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(std::sqrt(i));
  const Figure a = mean_figure(values, 5), b = mean_figure(values, 5), c = mean_figure(values, 6);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low + a.high, c.low + c.high);
}

TEST(Statistics, nothing_and_what_is_not_finite) {
  EXPECT_EQ(mean_figure({}, 1).n, 0U);
  const double values[] = {1, std::numeric_limits<double>::infinity(), NAN};
  const Figure figure = mean_figure(values, 1);
  EXPECT_EQ(figure.n, 1U);
  EXPECT_EQ(figure.mean, 1);
  EXPECT_EQ(figure.low, 1);
}

// Of normal values with deviation 1 the 95 % bounds of the mean of n lie 1.96 / sqrt(n) away, and
// hold the true mean in about 95 of 100 cases.
TEST(Statistics, bounds_hold_the_true_mean_as_often_as_they_say) {
  Random random(11);
  int held = 0;
  double width = 0;
  constexpr int kRounds = 200, kCount = 50;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> values;
    for (int i = 0; i < kCount; ++i) values.push_back(random.next_normal());
    const Figure figure = mean_figure(values, static_cast<uint64_t>(round));
    held += figure.low <= 0 && figure.high >= 0 ? 1 : 0;
    width += (figure.high - figure.low) / kRounds;
  }
  // Binomial deviation 3.1; a percentile bootstrap of 50 values is a little narrow.
  EXPECT_GE(held, 178);
  EXPECT_LE(held, 199);
  EXPECT_NEAR(width, 2 * 1.96 / std::sqrt(kCount), 0.03);
}

TEST(Statistics, a_difference_is_drawn_in_pairs) {
  // The second is the first with one error less each: the difference is sure, although the values
  // are not.
  std::vector<Part> a, b;
  for (int i = 0; i < 30; ++i) {
    a.push_back({static_cast<double>(1 + i % 7), 10});
    b.push_back({static_cast<double>(i % 7), 10});
  }
  const Figure figure = difference_figure(a, b, 3);
  EXPECT_NEAR(figure.mean, 0.1, 1e-12);
  EXPECT_NEAR(figure.median, 0.1, 1e-12);
  EXPECT_NEAR(figure.low, 0.1, 1e-12);
  EXPECT_NEAR(figure.high, 0.1, 1e-12);
}

}  // namespace
}  // namespace kani
