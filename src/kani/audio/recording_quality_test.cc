// The measures of a recording, on sounds whose properties are known because they are made here.
#include "kani/audio/recording_quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr int kRate = 16000;

std::vector<float> tone(double seconds, double hz, double amplitude, int rate = kRate) {
  std::vector<float> out(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] =
        static_cast<float>(amplitude * std::sin(2 * M_PI * hz * static_cast<double>(i) / rate));
  }
  return out;
}

std::vector<float> noise(double seconds, double deviation, int rate = kRate) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, deviation);
  std::vector<float> out(static_cast<size_t>(seconds * rate));
  for (float& sample : out) sample = static_cast<float>(normal(random));
  return out;
}

// Vowels: 300 ms of a buzz at 120 Hz that swells and fades, 200 ms of nothing, and so on.
std::vector<float> syllables(double seconds, double amplitude, int rate = kRate) {
  std::vector<float> out(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / rate, in_cycle = std::fmod(t, 0.5);
    if (in_cycle >= 0.3) continue;
    double buzz = 0;
    for (int k = 1; k <= 8; ++k) buzz += std::sin(2 * M_PI * 120 * k * t) / k;
    out[i] = static_cast<float>(amplitude * std::sin(M_PI * in_cycle / 0.3) * buzz / 2);
  }
  return out;
}

std::vector<float> sum(std::vector<float> a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

bool warns(const RecordingQuality& quality, const std::string& word) {
  for (const std::string& line : recording_warnings(quality)) {
    if (line.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(RecordingQuality, a_tone_is_loud_clean_and_no_speech) {
  for (const int rate : {8000, 16000, 44100, 192000}) {
    const RecordingQuality quality = measure_recording(tone(2, 220, 1, rate), rate);
    EXPECT_NEAR(quality.seconds, 2, 1e-3);
    EXPECT_NEAR(quality.peak_db, 0, 0.01);
    EXPECT_NEAR(quality.speech_level_db, -3, 0.3);
    EXPECT_EQ(quality.clipped_share, 0) << "full scale is not yet clipping, " << rate;
    EXPECT_TRUE(quality.steady);
    EXPECT_EQ(quality.speech_share, 0);
    EXPECT_TRUE(warns(quality, "music"));
    EXPECT_EQ(recording_warnings(quality).size(), 1U);
  }
}

TEST(RecordingQuality, silence_has_the_lowest_levels_and_no_speech) {
  const RecordingQuality quality = measure_recording(std::vector<float>(kRate), kRate);
  EXPECT_EQ(quality.peak_db, -100);
  EXPECT_EQ(quality.noise_floor_db, -100);
  EXPECT_EQ(quality.speech_share, 0);
  EXPECT_FALSE(quality.steady);
  EXPECT_TRUE(warns(quality, "hardly any speech"));
}

TEST(RecordingQuality, syllables_over_noise_show_both_levels) {
  // The buzz has a root mean square of 0.44 times its amplitude where it is loudest, which is what
  // the 95th percentile finds, nearly.
  for (const double below_db : {40.0, 25.0, 8.0}) {
    const double deviation = 0.21 * std::pow(10, -below_db / 20);
    const RecordingQuality quality =
        measure_recording(sum(syllables(6, 0.5), noise(6, deviation)), kRate);
    EXPECT_NEAR(quality.noise_distance_db(), below_db, 1.5) << below_db;
    EXPECT_NEAR(quality.noise_floor_db, 20 * std::log10(deviation), 1.5);
    EXPECT_GT(quality.speech_share, 0.45) << below_db;
    EXPECT_LT(quality.speech_share, below_db > 30 ? 0.75 : 1.0) << below_db;
    EXPECT_EQ(warns(quality, "noisy"), below_db < 10);
    EXPECT_FALSE(warns(quality, "speech"));
  }
}

TEST(RecordingQuality, noise_alone_is_no_speech) {
  const RecordingQuality quality = measure_recording(noise(3, 0.1), kRate);
  EXPECT_LT(quality.speech_share, 0.1);
  EXPECT_FALSE(recording_warnings(quality).empty());
}

TEST(RecordingQuality, clipped_speech_is_noticed) {
  std::vector<float> loud = syllables(4, 4);
  for (float& sample : loud) sample = std::clamp(sample, -1.0F, 1.0F);
  const RecordingQuality clipped = measure_recording(loud, kRate);
  EXPECT_GT(clipped.clipped_share, 0.02);
  EXPECT_TRUE(warns(clipped, "it clips"));
  EXPECT_EQ(measure_recording(syllables(4, 0.5), kRate).clipped_share, 0);
  // What a decoder of a lossy format makes of it: beyond full scale, and not flat.
  std::vector<float> beyond = tone(1, 220, 1.2);
  EXPECT_GT(measure_recording(beyond, kRate).clipped_share, 0.2);
}

TEST(RecordingQuality, a_little_speech_in_a_long_silence) {
  std::vector<float> sound = syllables(1, 0.5);
  sound.resize(10 * kRate);
  const RecordingQuality quality = measure_recording(sound, kRate);
  EXPECT_GT(quality.speech_share, 0.03);
  EXPECT_LT(quality.speech_share, 0.2);
  EXPECT_TRUE(warns(quality, "hardly any speech"));
}

TEST(RecordingQuality, odd_input) {
  EXPECT_THROW(measure_recording(tone(1, 220, 1), 7999), Error);
  EXPECT_THROW(measure_recording(tone(1, 220, 1), 192001), Error);
  for (const size_t length : {0U, 1U, 2U, 159U, 160U, 161U, 640U, 1000U}) {
    const RecordingQuality quality = measure_recording(std::vector<float>(length, 0.5F), 8000);
    EXPECT_GE(quality.speech_share, 0);
    EXPECT_LE(quality.speech_share, 1);
  }
  std::vector<float> odd = syllables(1, 0.5);
  odd[100] = std::nanf("");
  EXPECT_TRUE(std::isfinite(measure_recording(odd, kRate).speech_level_db));
}

}  // namespace
}  // namespace kani
