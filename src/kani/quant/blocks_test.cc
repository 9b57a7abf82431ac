// The formats by what they promise: ranges, exact cases, errors no larger than plain rounding's.
#include "kani/quant/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kani/base/random.h"

namespace kani {
namespace {

std::vector<float> normals(Random& random) {
  std::vector<float> w(kQuantBlock);
  for (float& x : w) x = static_cast<float>(0.02 * random.next_normal());
  return w;
}

double squared_error(const std::vector<float>& w, const QuantBlock& block) {
  double error = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const double off = w[i] - static_cast<double>(block.q[i]) * block.scale;
    error += off * off;
  }
  return error;
}

TEST(QuantBlocks, zeros_stay_zeros) {
  const std::vector<float> zeros(kQuantBlock);
  for (const QuantBlock& block : {quantize_q8(zeros), quantize_q4(zeros)}) {
    EXPECT_EQ(block.scale, 0);
    EXPECT_TRUE(std::all_of(block.q, block.q + kQuantBlock, [](int8_t q) { return q == 0; }));
  }
}

TEST(QuantBlocks, eight_bits_are_within_half_a_step) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const std::vector<float> w = normals(random);
    const QuantBlock block = quantize_q8(w);
    for (size_t i = 0; i < w.size(); ++i) {
      EXPECT_NEAR(w[i], block.q[i] * block.scale, block.scale * 0.57F);
      EXPECT_GE(block.q[i], -127);
    }
  }
}

TEST(QuantBlocks, numbers_on_the_grid_come_back) {
  std::vector<float> w;
  for (int q = -8; q < 8; ++q) w.insert(w.end(), 2, 0.5F * static_cast<float>(q));
  EXPECT_EQ(squared_error(w, quantize_q4(w)), 0);
  for (float& x : w) x = -x;  // now the positive end is the longer one
  EXPECT_EQ(squared_error(w, quantize_q4(w)), 0);
}

TEST(QuantBlocks, four_bits_lose_a_tenth_less_than_plain_rounding) {
  Random random(2);
  double searched = 0, plain = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::vector<float> w = normals(random);
    searched += squared_error(w, quantize_q4(w));
    float top = 0;
    for (const float x : w) {
      if (std::fabs(x) > std::fabs(top)) top = x;
    }
    QuantBlock block{};
    block.scale = -top / 8;
    for (size_t i = 0; i < w.size(); ++i) {
      const float q = std::clamp(std::nearbyint(w[i] / block.scale), -8.0F, 7.0F);
      block.q[i] = static_cast<int8_t>(q);
    }
    plain += squared_error(w, block);
  }
  EXPECT_LT(searched, 0.9 * plain);
}

TEST(QuantBlocks, short_blocks_are_filled_with_zeros) {
  const std::vector<float> w{0.5F, -1};
  for (const QuantBlock& block : {quantize_q8(w), quantize_q4(w)}) {
    EXPECT_NEAR(block.q[0] * block.scale, 0.5, 0.07);
    EXPECT_NEAR(block.q[1] * block.scale, -1, 0.07);
    for (size_t i = 2; i < kQuantBlock; ++i) EXPECT_EQ(block.q[i], 0);
  }
}

}  // namespace
}  // namespace kani
