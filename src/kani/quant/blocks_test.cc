// The formats by what they promise: ranges, exact cases, errors no larger than plain rounding's.
#include "kani/quant/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kani/base/random.h"

namespace kani {
namespace {

struct Row {
  explicit Row(size_t n) : groups(n / kQuantGroup), q(n) {}
  float scale = 0;
  std::vector<int8_t> groups, q;

  double at(size_t i, bool q4) const {
    const int number = q4 ? kQ4Levels[q[i]] : q[i];
    return static_cast<double>(scale) * groups[i / kQuantGroup] * number;
  }
};

Row quantized(const std::vector<float>& w, bool q4) {
  Row row(w.size());
  row.scale = (q4 ? quantize_row_q4 : quantize_row_q8)(w, {row.groups, row.q});
  return row;
}

std::vector<float> normals(Random& random, size_t n) {
  std::vector<float> w(n);
  for (float& x : w) x = static_cast<float>(0.02 * random.next_normal());
  return w;
}

double relative_error(const std::vector<float>& w, const Row& row, bool q4) {
  double error = 0, size = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    error += std::pow(w[i] - row.at(i, q4), 2);
    size += std::pow(w[i], 2);
  }
  return error / size;
}

TEST(QuantBlocks, zeros_stay_zeros) {
  const std::vector<float> zeros(2 * kQuantBlock);
  for (const bool q4 : {false, true}) {
    const Row row = quantized(zeros, q4);
    EXPECT_EQ(row.scale, 0);
    for (size_t i = 0; i < zeros.size(); ++i) EXPECT_EQ(row.at(i, q4), 0);
  }
}

TEST(QuantBlocks, a_group_of_zeros_stays_zero_among_others) {
  std::vector<float> w(kQuantBlock);
  for (size_t i = 0; i < kQuantGroup; ++i) w[i] = 0.1F * static_cast<float>(i);
  for (const bool q4 : {false, true}) {
    const Row row = quantized(w, q4);
    for (size_t i = kQuantGroup; i < kQuantBlock; ++i) EXPECT_EQ(row.at(i, q4), 0);
  }
}

TEST(QuantBlocks, eight_bits_are_within_half_a_step) {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    const std::vector<float> w = normals(random, 320);
    const Row row = quantized(w, false);
    for (size_t i = 0; i < w.size(); ++i) {
      const double step = static_cast<double>(row.scale) * row.groups[i / kQuantGroup];
      EXPECT_NEAR(w[i], row.at(i, false), 0.5001 * step);
      EXPECT_GE(row.groups[i / kQuantGroup], 0);
      EXPECT_GE(row.q[i], -127);
    }
  }
}

// The step of a group is its largest weight / 127, plus at most one unit of the row's scale.
TEST(QuantBlocks, eight_bits_are_finer_where_weights_are_small) {
  std::vector<float> w(kQuantBlock, 0.001F);
  w[0] = 1;
  const Row row = quantized(w, false);
  EXPECT_EQ(row.groups[0], 127);
  EXPECT_LE(row.groups[1], 2);
  EXPECT_NEAR(row.at(20, false), 0.001, 0.5 * 2 / 127 / 127);
}

TEST(QuantBlocks, levels_come_back) {
  std::vector<float> w;
  for (const float sign : {1.0F, -1.0F}) {
    for (const int8_t level : kQ4Levels) w.push_back(0.01F * sign * static_cast<float>(level));
  }
  EXPECT_LT(relative_error(w, quantized(w, true), true), 1e-12);
}

TEST(QuantBlocks, the_nearest_level_is_taken) {
  for (int i = 0; i < 16; ++i) EXPECT_EQ(nearest_q4(kQ4Levels[i]), i);
  EXPECT_EQ(nearest_q4(-1000), 0);
  EXPECT_EQ(nearest_q4(1000), 15);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(kQ4Bounds[i], 0.5F * static_cast<float>(kQ4Levels[i] + kQ4Levels[i + 1]));
    EXPECT_EQ(nearest_q4(kQ4Bounds[i]), i);  // the lower of two
  }
}

// Normal weights: 16 equal steps in groups of 32 leave 0.0065 of the square at best.
TEST(QuantBlocks, four_bits_leave_four_thousandths) {
  Random random(2);
  const std::vector<float> w = normals(random, 64000);
  EXPECT_LT(relative_error(w, quantized(w, true), true), 0.0042);
  EXPECT_LT(relative_error(w, quantized(w, false), false), 2.6e-5);
}

}  // namespace
}  // namespace kani
