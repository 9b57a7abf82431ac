#include "kani/audio/level.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kani/audio/test_sound.h"

namespace kani {
namespace {

TEST(Level, peak_and_rms_of_a_sine) {
  const std::vector<float> sound = tone(22050, 441, 22050);  // 50 samples a period
  EXPECT_NEAR(peak(sound), 0.5, 1e-3);
  EXPECT_NEAR(rms(sound), 0.5 / std::numbers::sqrt2, 1e-6);
}

TEST(Level, nothing_is_silent) {
  EXPECT_EQ(peak({}), 0.0F);
  EXPECT_EQ(rms({}), 0.0F);
}

TEST(Level, nan_counts_as_silence) {
  const std::vector<float> sound{0.5F, std::numeric_limits<float>::quiet_NaN(), -0.5F, 0.5F};
  EXPECT_EQ(peak(sound), 0.5F);
  EXPECT_NEAR(rms(sound), 0.5 * std::sqrt(0.75), 1e-6);
}

TEST(Level, pauses_are_whole_samples) {
  EXPECT_EQ(silence_samples(0.2, 22050), 4410U);
  EXPECT_EQ(silence_samples(0.0001, 22050), 2U);  // 2.205
  EXPECT_EQ(silence_samples(0, 22050), 0U);
}

TEST(Level, impossible_pauses_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double seconds : {-0.1, 1e9, nan}) {
    EXPECT_TRUE(error_of([&] { silence_samples(seconds, 22050); }).starts_with("invalid_argument"))
        << seconds;
  }
  EXPECT_TRUE(error_of([] { silence_samples(1, 0); }).starts_with("invalid_argument"));
}

}  // namespace
}  // namespace kani
