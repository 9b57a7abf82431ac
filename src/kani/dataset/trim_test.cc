// Where sound begins and ends, on cases made by hand.
#include "kani/dataset/trim.h"

#include <gtest/gtest.h>

#include <vector>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/dataset/bandwidth.h"

namespace kani {
namespace {

constexpr int kRate = 22050;

std::vector<float> noise(size_t samples, float level) {
  Random random(1);
  std::vector<float> out(samples);
  for (float& sample : out) sample = level * static_cast<float>(2 * random.next_uniform() - 1);
  return out;
}

TEST(Trim, a_tenth_of_a_second_is_left_at_both_ends) {
  std::vector<float> sound(kRate), loud = noise(kRate, 0.5F);
  sound.insert(sound.end(), loud.begin(), loud.end());
  sound.resize(3 * kRate);
  const SoundRange range = find_sound(sound, kRate);
  // A frame reaches 1,024 samples beyond its centre and centres are 512 apart.
  EXPECT_NEAR(static_cast<double>(range.begin), 0.9 * kRate, 1536);
  EXPECT_NEAR(static_cast<double>(range.end), 2.1 * kRate, 1536);
  EXPECT_LE(range.begin, static_cast<size_t>(kRate) - 2205);
  EXPECT_GE(range.end, 2 * static_cast<size_t>(kRate) + 2205);
  EXPECT_EQ(range.silent_share, 0);
}

TEST(Trim, what_is_49_db_below_the_loudest_stays_and_what_is_51_below_goes) {
  for (const auto& [level, stays] : {std::pair{3.55e-3F, true}, std::pair{2.8e-3F, false}}) {
    std::vector<float> sound = noise(kRate, level), loud = noise(kRate, 1);
    sound.insert(sound.end(), loud.begin(), loud.end());
    EXPECT_EQ(find_sound(sound, kRate).begin == 0, stays) << level;
  }
}

TEST(Trim, nothing_is_cut_inside_but_silence_there_is_counted) {
  std::vector<float> sound = noise(kRate, 0.5F);
  sound.resize(4 * kRate);
  const std::vector<float> loud = noise(kRate, 0.5F);
  sound.insert(sound.end(), loud.begin(), loud.end());
  const SoundRange range = find_sound(sound, kRate);
  EXPECT_EQ(range.begin, 0U);
  EXPECT_EQ(range.end, sound.size());
  EXPECT_NEAR(range.silent_share, 0.6, 0.03);
}

TEST(Trim, a_recording_without_sound_is_silent_as_a_whole) {
  EXPECT_EQ(find_sound({}, kRate).silent_share, 1);
  const std::vector<float> hush = noise(kRate, 1e-5F);
  const SoundRange range = find_sound(hush, kRate);
  EXPECT_EQ(range.silent_share, 1);
  EXPECT_EQ(range.end, hush.size());
  EXPECT_THROW(find_sound(hush, kRate, {.pad_s = 3}), Error);
}

TEST(Bandwidth, an_empty_upper_band_shows) {
  std::vector<float> all = noise(44100, 0.5F), low = all;
  EXPECT_GT(bandwidth_hz(all, 44100), 21000);
  for (int pass = 0; pass < 8; ++pass) {  // means of four: zeros at 11 kHz and 22 kHz
    for (size_t i = low.size() - 1; i >= 3; --i)
      low[i] = (low[i] + low[i - 1] + low[i - 2] + low[i - 3]) / 4;
  }
  EXPECT_LT(bandwidth_hz(low, 44100), 22000);
  EXPECT_EQ(bandwidth_hz(std::vector<float>(44100), 44100), 0);
  EXPECT_EQ(bandwidth_hz(std::vector<float>(100, 1), 44100), 0);
}

TEST(Silences, are_found_where_frames_hear_nothing_and_never_longer_than_they_are) {
  std::vector<float> sound = noise(3 * kRate, 0.5F);
  const auto quiet = [&](double from, double to) {
    std::fill(sound.begin() + static_cast<std::ptrdiff_t>(from * kRate),
              sound.begin() + static_cast<std::ptrdiff_t>(to * kRate), 0.0F);
  };
  quiet(1, 1.4);
  quiet(2, 2.2);
  quiet(2.7, 3);
  FramePowers frames({});
  for (size_t at = 0; at < sound.size(); at += 777)
    frames.push(std::span(sound).subspan(at, std::min<size_t>(777, sound.size() - at)));
  const std::vector<double> powers = frames.finish();
  EXPECT_EQ(powers.size(), sound.size() / 512 + 1);
  const auto silences = find_silences(powers, frames.samples(), static_cast<size_t>(0.25 * kRate));
  ASSERT_EQ(silences.size(), 2U);
  const auto seconds = [](size_t at) { return static_cast<double>(at) / kRate; };
  EXPECT_NEAR(seconds(silences[0].begin), 1, 0.024);
  EXPECT_GT(seconds(silences[0].begin), 0.999);
  EXPECT_NEAR(seconds(silences[0].end), 1.4, 0.024);
  EXPECT_LT(seconds(silences[0].end), 1.401);
  EXPECT_EQ(silences[1].end, sound.size());
  // The same in one go.
  FramePowers whole({});
  whole.push(sound);
  EXPECT_EQ(whole.finish(), powers);
}

TEST(Silences, a_recording_without_sound_is_one) {
  FramePowers frames({});
  frames.push(std::vector<float>(5000, 1e-6F));
  const auto silences = find_silences(frames.finish(), 5000, 100);
  ASSERT_EQ(silences.size(), 1U);
  EXPECT_EQ(silences[0].begin, 0U);
  EXPECT_EQ(silences[0].end, 5000U);
  EXPECT_EQ(find_silences(FramePowers({}).finish(), 0, 0).size(), 1U);
}

}  // namespace
}  // namespace kani
