#include "kani/audio/resampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kani/audio/level.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

std::vector<float> in_pieces(std::span<const float> samples, Resampler& resampler, size_t piece) {
  std::vector<float> out;
  for (size_t i = 0; i < samples.size(); i += piece) {
    resampler.push(samples.subspan(i, std::min(piece, samples.size() - i)), out);
  }
  resampler.finish(out);
  return out;
}

std::vector<float> read_f32(const std::string& name) {
  const std::string text = read_file(std::string(KANI_TEST_DATA "/audio/") + name, 1 << 20);
  std::vector<float> numbers(text.size() / 4);
  std::memcpy(numbers.data(), text.data(), numbers.size() * 4);
  return numbers;
}

TEST(Resampler, equal_rates_pass_samples_through) {
  const std::vector<float> sound = tone(1000, 440, 22050);
  EXPECT_EQ(resample(sound, 22050, 22050, ResamplerQuality::kHigh), sound);
}

TEST(Resampler, length_is_the_nearest_to_the_ratio) {
  struct Rates {
    uint64_t from, to;
  };
  for (const Rates rates : {Rates{22050, 24000},
                            {22050, 16000},
                            {22050, 8000},
                            {22050, 44100},
                            {22050, 48000},
                            {16000, 24000},
                            {48000, 24000}}) {
    for (const uint64_t length : {0, 1, 2, 3, 7, 100, 441, 1000, 4096, 4097, 22050, 50001}) {
      const std::vector<float> sound = tone(length, 440, static_cast<int>(rates.from));
      const uint64_t expected = (2 * length * rates.to + rates.from) / (2 * rates.from);
      for (const ResamplerQuality quality : {ResamplerQuality::kMedium, ResamplerQuality::kHigh}) {
        EXPECT_EQ(resample(sound, static_cast<int>(rates.from), static_cast<int>(rates.to), quality)
                      .size(),
                  expected)
            << length << " samples, " << rates.from << " to " << rates.to;
      }
    }
  }
}

TEST(Resampler, output_does_not_depend_on_the_pieces) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> noise(20000);
  for (float& sample : noise) sample = uniform(random);
  for (const ResamplerQuality quality : {ResamplerQuality::kMedium, ResamplerQuality::kHigh}) {
    Resampler resampler(22050, 24000, quality);
    const std::vector<float> whole = in_pieces(noise, resampler, noise.size());
    for (const size_t piece : {1, 13, 1760, 4096, 10000}) {
      EXPECT_EQ(in_pieces(noise, resampler, piece), whole) << piece;  // and it can be used again
    }
  }
}

TEST(Resampler, high_quality_is_the_one_of_the_reference) {
  const std::vector<float> in = read_f32("resample_22050_16000_in.f32");
  const std::vector<float> expected = read_f32("resample_22050_16000_out.f32");
  const std::vector<float> out = resample(in, 22050, 16000, ResamplerQuality::kHigh);
  ASSERT_EQ(out.size(), expected.size());
  for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 1e-6) << i;
}

TEST(Resampler, a_tone_stays_where_it_was) {
  const std::vector<float> expected = tone(24000, 440, 24000);
  std::vector<float> out = resample(tone(22050, 440, 22050), 22050, 24000, ResamplerQuality::kHigh);
  ASSERT_EQ(out.size(), expected.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] -= expected[i];
  // 20 bit of precision, away from the ends, where the filter sees silence.
  EXPECT_LT(peak(std::span(out).subspan(1000, 22000)), 1e-4);
}

TEST(Resampler, impossible_rates_are_refused) {
  for (const int rate : {0, -1, 999, 400000}) {
    EXPECT_TRUE(error_of([&] {
                  Resampler(22050, rate, ResamplerQuality::kHigh);
                }).starts_with("invalid_argument"))
        << rate;
  }
}

}  // namespace
}  // namespace kani
