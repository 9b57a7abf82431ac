// What can be said of the kernel without reference numbers; those are in speaker/.
#include "kani/audio/sinc_resampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "kani/base/error.h"

namespace kani {
namespace {

std::vector<float> tone(double hz, int rate_hz, size_t count) {
  std::vector<float> samples;
  for (size_t i = 0; i < count; ++i) {
    const double seconds = static_cast<double>(i) / rate_hz;
    samples.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * hz * seconds)));
  }
  return samples;
}

TEST(SincResampler, equal_rates_leave_the_samples_alone) {
  const std::vector<float> samples = tone(440, 16000, 1000);
  EXPECT_EQ(SincResampler(16000, 16000).resample(samples), samples);
}

TEST(SincResampler, a_tone_stays_a_tone) {
  for (const int rate : {8000, 11025, 22050, 44100, 44101, 48000, 96000, 192000}) {
    const SincResampler resampler(rate, 16000);
    const std::vector<float> out = resampler.resample(tone(300, rate, static_cast<size_t>(rate)));
    const std::vector<float> expected = tone(300, 16000, out.size());
    for (size_t i = 200; i + 200 < out.size(); ++i)
      ASSERT_NEAR(out[i], expected[i], 5e-3) << rate << " Hz, sample " << i;
  }
}

TEST(SincResampler, only_taps_that_count_are_kept) {
  size_t most = 0, total = 0;
  const SincResampler common(44100, 16000);
  for (const SincResampler::Phase& phase : common.phases())
    most = std::max(most, phase.taps.size());
  EXPECT_EQ(most, 34u);
  const SincResampler awkward(44101, 16000);
  EXPECT_EQ(awkward.phases().size(), 16000u);
  for (const SincResampler::Phase& phase : awkward.phases()) total += phase.taps.size();
  EXPECT_LT(total, 16000u * 40);
}

TEST(SincResampler, the_first_outputs_need_only_the_first_inputs) {
  for (const int rate : {8000, 22050, 44100, 48000}) {
    const SincResampler resampler(rate, 16000);
    std::vector<float> samples = tone(1000, rate, 5000);
    const std::vector<float> whole = resampler.resample(samples);
    samples.resize(resampler.input_needed(700));
    const std::vector<float> part = resampler.resample(samples);
    ASSERT_GE(part.size(), 700u);
    for (size_t i = 0; i < 700; ++i) ASSERT_EQ(part[i], whole[i]) << rate;
    samples.resize(samples.size() - 10);
    const std::vector<float> less = resampler.resample(samples);
    ASSERT_TRUE(less.size() < 700 || less[699] != whole[699]) << rate;
  }
}

TEST(SincResampler, rates_out_of_range_are_refused) {
  EXPECT_THROW(SincResampler(0, 16000), Error);
  EXPECT_THROW(SincResampler(16000, 400000), Error);
  EXPECT_TRUE(SincResampler(44100, 16000).resample({}).empty());
}

}  // namespace
}  // namespace kani
