// The cepstrum.
#include "kani/eval/mel_cepstrum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/eval/test_voices.h"

namespace kani {
namespace {

TEST(FourierTransform, is_the_sum_that_defines_it) {
  constexpr size_t n = 16;
  Random random(3);
  std::vector<double> re(n), im(n);
  for (size_t i = 0; i < n; ++i) {
    re[i] = random.next_normal();
    im[i] = random.next_normal();
  }
  std::vector<double> fast_re = re, fast_im = im;
  fourier_transform(fast_re, fast_im);
  for (size_t k = 0; k < n; ++k) {
    double sum_re = 0, sum_im = 0;
    for (size_t i = 0; i < n; ++i) {
      const double angle = -2 * std::numbers::pi * static_cast<double>(i * k) / n;
      sum_re += re[i] * std::cos(angle) - im[i] * std::sin(angle);
      sum_im += re[i] * std::sin(angle) + im[i] * std::cos(angle);
    }
    EXPECT_NEAR(fast_re[k], sum_re, 1e-12);
    EXPECT_NEAR(fast_im[k], sum_im, 1e-12);
  }
}

TEST(MelCepstrum, has_a_frame_every_hundredth_of_a_second) {
  EXPECT_TRUE(mel_cepstrum(std::vector<float>(399), 16000).empty());
  EXPECT_EQ(mel_cepstrum(std::vector<float>(400), 16000).size(), 1U);
  EXPECT_EQ(mel_cepstrum(std::vector<float>(400 + 160 * 9), 16000).size(), 10U);
  EXPECT_EQ(mel_cepstrum(std::vector<float>(22050), 22050).size(), 98U);
}

TEST(MelCepstrum, loudness_is_in_the_level_alone) {
  Random random(5);
  std::vector<float> loud(4000);
  for (float& sample : loud) sample = static_cast<float>(0.1 * random.next_normal());
  std::vector<float> soft = loud;
  for (float& sample : soft) sample *= 0.5F;
  const auto a = mel_cepstrum(loud, kTestRateHz), b = mel_cepstrum(soft, kTestRateHz);
  const CepstrumFrame &first = a[7], &second = b[7];
  EXPECT_NEAR(first.level_db - second.level_db, 6.02, 0.01);
  for (size_t n = 0; n < kCepstra; ++n) EXPECT_NEAR(first.c[n], second.c[n], 1e-4);
}

TEST(MelCepstrum, noise_of_one_colour_has_none) {
  // White noise is flat on a linear scale: bands grow with frequency, which is c1 alone, nearly.
  Random random(1);
  std::vector<float> noise(160000);
  for (float& sample : noise) sample = static_cast<float>(0.1 * random.next_normal());
  std::array<double, kCepstra> mean{};
  const auto frames = mel_cepstrum(noise, 16000);
  for (const CepstrumFrame& frame : frames) {
    for (size_t n = 0; n < kCepstra; ++n)
      mean[n] += static_cast<double>(frame.c[n]) / static_cast<double>(frames.size());
  }
  EXPECT_LT(mean[0], -2);
  for (size_t n = 1; n < kCepstra; ++n) EXPECT_LT(std::abs(mean[n]), 0.6) << n;
}

TEST(MelCepstrum, silence_is_all_zero_and_far_below_speech) {
  std::vector<float> sound = babble("ai");
  add_silence(sound, 0.5);
  const auto frames = mel_cepstrum(sound, kTestRateHz);
  EXPECT_EQ(frames.back().level_db, -100);
  for (const float c : frames.back().c) EXPECT_NEAR(c, 0, 1e-5);
  EXPECT_GT(speech_threshold_db(frames), -60);
  EXPECT_EQ(speech_threshold_db({}), -60);
}

TEST(MelCepstrum, other_rates_are_refused) {
  EXPECT_THROW(mel_cepstrum(std::vector<float>(800), 4000), Error);
}

}  // namespace
}  // namespace kani
