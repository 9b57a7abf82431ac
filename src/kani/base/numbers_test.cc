#include "kani/base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace kani {
namespace {

TEST(Numbers, every_bf16_value_survives_the_round_trip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = bf16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value))));
    } else {
      EXPECT_EQ(f32_to_bf16(value), bits);
    }
  }
}

TEST(Numbers, every_f16_value_survives_the_round_trip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
    } else {
      EXPECT_EQ(f32_to_f16(value), bits) << value;
    }
  }
}

TEST(Numbers, f16_rounds_to_nearest_even) {
  EXPECT_EQ(f32_to_f16(1.0f + 0x1p-11f), f32_to_f16(1.0f));              // tie, down to even
  EXPECT_EQ(f32_to_f16(1.0f + 0x1.8p-10f), f32_to_f16(1.0f + 0x1p-9f));  // tie, up to even
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(f32_to_f16(65519.0f), 0x7BFF);
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0);  // tie with zero
  EXPECT_EQ(f32_to_f16(0x1.1p-25f), 1);
}

TEST(Numbers, to_f32_reads_unaligned_bytes) {
  std::vector<std::byte> bytes(9);
  const float in[2] = {1.5f, -2.25f};
  std::memcpy(bytes.data() + 1, in, 8);
  float out[2];
  to_f32(DType::kF32, std::span(bytes).subspan(1), out);
  EXPECT_EQ(out[1], -2.25f);
}

TEST(Numbers, checked_arithmetic_reports_overflow) {
  EXPECT_FALSE(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32));
  EXPECT_EQ(checked_mul(3, 4), 12u);
  EXPECT_FALSE(checked_add(~uint64_t{0}, 1));
}

TEST(Numbers, fixed_has_so_many_digits_behind_the_point) {
  EXPECT_EQ(fixed(2.5, 2), "2.50");
  EXPECT_EQ(fixed(-0.126, 2), "-0.13");
  EXPECT_EQ(fixed(7, 0), "7");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 1).size(), 309u + 2);
}

}  // namespace
}  // namespace kani
