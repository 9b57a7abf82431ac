#include "kani/audio/pcm.h"

#include <gtest/gtest.h>

#include <limits>

namespace kani {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Pcm, every_16_bit_sample_survives_the_way_through_float) {
  for (int sample = -32768; sample <= 32767; ++sample) {
    ASSERT_EQ(f32_to_s16(static_cast<float>(sample) / 32768.0F), sample);
  }
}

TEST(Pcm, samples_are_rounded_to_nearest_and_ties_to_even) {
  EXPECT_EQ(f32_to_s16(0.49F / 32768), 0);
  EXPECT_EQ(f32_to_s16(0.51F / 32768), 1);
  EXPECT_EQ(f32_to_s16(-0.51F / 32768), -1);
  EXPECT_EQ(f32_to_s16(0.5F / 32768), 0);
  EXPECT_EQ(f32_to_s16(1.5F / 32768), 2);
  EXPECT_EQ(f32_to_s16(-2.5F / 32768), -2);
}

TEST(Pcm, samples_beyond_full_scale_saturate) {
  EXPECT_EQ(f32_to_s16(1.0F), 32767);
  EXPECT_EQ(f32_to_s16(-1.0F), -32768);
  EXPECT_EQ(f32_to_s16(1e30F), 32767);
  EXPECT_EQ(f32_to_s16(-1e30F), -32768);
  EXPECT_EQ(f32_to_s16(kInfinity), 32767);
  EXPECT_EQ(f32_to_s16(-kInfinity), -32768);
}

TEST(Pcm, nan_becomes_silence) {
  EXPECT_EQ(f32_to_s16(kNan), 0);
  EXPECT_EQ(f32_to_s16(-kNan), 0);
  EXPECT_EQ(clean_sample(kNan), 0.0F);
}

TEST(Pcm, bytes_are_little_endian) {
  Bytes bytes;
  append_s16le(bytes, std::vector<float>{256.0F / 32768, -1.0F});
  append_le(bytes, 0x01020304, 4);
  EXPECT_EQ(bytes, (Bytes{std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0x80}, std::byte{4},
                          std::byte{3}, std::byte{2}, std::byte{1}}));
}

}  // namespace
}  // namespace kani
