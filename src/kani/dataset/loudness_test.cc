// Loudness and true peak against the figures of BS.1770-4 and EBU Tech 3341.
#include "kani/dataset/loudness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace kani {
namespace {

void append_sine(std::vector<float>& out, double db, double seconds, int rate_hz,
                 double hz = 1000) {
  const double amplitude = std::pow(10, db / 20);
  const size_t count = static_cast<size_t>(seconds * rate_hz), begin = out.size();
  for (size_t i = 0; i < count; ++i) {
    out.push_back(
        static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hz *
                                                static_cast<double>(begin + i) / rate_hz)));
  }
}

double stereo_loudness(const std::vector<float>& side, int rate_hz) {
  const std::span<const float> channels[] = {side, side};
  return integrated_loudness(channels, rate_hz);
}

TEST(Loudness, filters_are_those_of_the_standards_table_at_48_khz) {
  const Biquad shelf = k_weighting_shelf(48000), high_pass = k_weighting_high_pass(48000);
  EXPECT_NEAR(shelf.b0, 1.53512485958697, 1e-9);
  EXPECT_NEAR(shelf.b1, -2.69169618940638, 1e-9);
  EXPECT_NEAR(shelf.b2, 1.19839281085285, 1e-9);
  EXPECT_NEAR(shelf.a1, -1.69065929318241, 1e-9);
  EXPECT_NEAR(shelf.a2, 0.73248077421585, 1e-9);
  EXPECT_NEAR(high_pass.a1, -1.99004745483398, 1e-9);
  EXPECT_NEAR(high_pass.a2, 0.99007225036621, 1e-9);
}

// EBU Tech 3341, tests 1 and 2: within 0.1 LU.
TEST(Loudness, a_stereo_sine_is_as_loud_as_its_level_says_at_every_rate) {
  for (const int rate : {16000, 22050, 44100, 48000}) {
    for (const double db : {-23.0, -33.0}) {
      std::vector<float> side;
      append_sine(side, db, 20, rate, 997);
      EXPECT_NEAR(stereo_loudness(side, rate), db, 0.1) << rate;
      EXPECT_NEAR(integrated_loudness(side, rate), db - 3.01, 0.1) << rate;
    }
  }
}

// EBU Tech 3341, tests 3, 4 and 5.
TEST(Loudness, gates_leave_out_what_is_quiet) {
  struct Piece {
    double db, seconds;
  };
  const std::vector<std::vector<Piece>> cases = {
      {{-36, 10}, {-23, 60}, {-36, 10}},
      {{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}},
      {{-26, 20}, {-20, 20.1}, {-26, 20}}};
  for (const auto& pieces : cases) {
    std::vector<float> side;
    for (const Piece& piece : pieces) append_sine(side, piece.db, piece.seconds, 48000);
    EXPECT_NEAR(stereo_loudness(side, 48000), -23, 0.1);
  }
}

TEST(Loudness, silence_nothing_and_a_sound_shorter_than_a_block_have_a_loudness) {
  EXPECT_EQ(integrated_loudness(std::vector<float>(48000), 48000), kLoudnessGateLufs);
  EXPECT_EQ(integrated_loudness(std::span<const float>(), 48000), kLoudnessGateLufs);
  std::vector<float> tick;
  append_sine(tick, -20, 0.3, 48000);
  EXPECT_NEAR(integrated_loudness(tick, 48000), -23, 0.5);
}

// EBU Tech 3341, test 16: a quarter of the rate, 45 degrees off: samples see 3 dB less.
TEST(Loudness, true_peak_is_found_between_samples) {
  std::vector<float> sound;
  for (size_t i = 0; i < 24000; ++i) {
    // Faded in and out: an abrupt end has a peak of its own.
    const double place = static_cast<double>(i) / 24000;
    const double fade = std::min(1.0, std::min(place, 1 - place) * 10);
    sound.push_back(static_cast<float>(
        0.5 * fade * std::sin(std::numbers::pi * (0.5 * static_cast<double>(i) + 0.25))));
  }
  const double db = true_peak_db(sound, 48000);
  EXPECT_LT(db, -6.02 + 0.2);
  EXPECT_GT(db, -6.02 - 0.4);
}

TEST(Loudness, the_gain_stops_at_its_bounds_and_where_peaks_would_clip) {
  const LoudnessTarget target;
  EXPECT_DOUBLE_EQ(loudness_gain_db(-30, -20, target), 7);
  EXPECT_DOUBLE_EQ(loudness_gain_db(-60, -50, target), 20);
  EXPECT_DOUBLE_EQ(loudness_gain_db(-30, -3, target), 2);
  EXPECT_DOUBLE_EQ(loudness_gain_db(-13, 0, target), -10);
  EXPECT_DOUBLE_EQ(loudness_gain_db(kLoudnessGateLufs, -90, target), 0);
}

}  // namespace
}  // namespace kani
