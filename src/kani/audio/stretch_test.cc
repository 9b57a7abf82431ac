#include "kani/audio/stretch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kani/audio/level.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

constexpr int kRate = 22050;
constexpr double kSpeeds[] = {0.25, 0.5, 0.8, 0.95, 1.05, 1.25, 1.5, 2, 3, 4};

std::vector<float> stretched(std::span<const float> sound, double speed, size_t piece = 1760) {
  TimeStretcher stretcher(speed, kRate);
  std::vector<float> out;
  for (size_t i = 0; i < sound.size(); i += piece) {
    stretcher.push(sound.subspan(i, std::min(piece, sound.size() - i)), out);
  }
  stretcher.finish(out);
  return out;
}

float largest_step(std::span<const float> sound) {
  float largest = 0;
  for (size_t i = 1; i < sound.size(); ++i) {
    largest = std::max(largest, std::abs(sound[i] - sound[i - 1]));
  }
  return largest;
}

// From upward crossings of zero, between the first and the last.
double frequency(std::span<const float> sound) {
  double first = -1;
  double last = -1;
  int periods = -1;
  for (size_t i = 1; i < sound.size(); ++i) {
    if (sound[i - 1] >= 0 || sound[i] < 0) continue;
    last = static_cast<double>(i) - sound[i] / (sound[i] - sound[i - 1]);
    if (first < 0) first = last;
    ++periods;
  }
  return periods * kRate / (last - first);
}

// The median pitch of the voiced parts: the best lag of the autocorrelation in 60 to 400 Hz.
double median_pitch(std::span<const float> sound) {
  constexpr size_t kWindow = 1024;
  constexpr size_t kShortest = kRate / 400;
  constexpr size_t kLongest = kRate / 60;
  std::vector<double> pitches;
  for (size_t at = 0; at + kWindow + kLongest < sound.size(); at += 256) {
    const auto likeness = [&](size_t lag) {
      double dot = 0;
      double one = 1e-9;
      double two = 1e-9;
      for (size_t i = at; i < at + kWindow; ++i) {
        const auto a = static_cast<double>(sound[i]);
        const auto b = static_cast<double>(sound[i + lag]);
        dot += a * b;
        one += a * a;
        two += b * b;
      }
      return dot / std::sqrt(one * two);
    };
    size_t best = kShortest;
    double best_likeness = 0;
    for (size_t lag = kShortest; lag <= kLongest; ++lag) {
      const double here = likeness(lag);
      if (here > best_likeness + 0.02) {  // the shortest of lags that are about as good
        best_likeness = here;
        best = lag;
      }
    }
    if (best_likeness > 0.8)
      pitches.push_back(static_cast<double>(kRate) / static_cast<double>(best));
  }
  std::ranges::nth_element(pitches, pitches.begin() + static_cast<ptrdiff_t>(pitches.size() / 2));
  return pitches.at(pitches.size() / 2);
}

const std::vector<float>& speech() {
  static const std::vector<float> sound =
      read_sound(std::filesystem::path(KANI_TEST_DATA "/audio/speech_22k.flac")).samples;
  return sound;
}

TEST(TimeStretcher, speed_1_passes_samples_through) {
  EXPECT_EQ(stretched(speech(), 1), speech());
  TimeStretcher stretcher(1, kRate);
  std::vector<float> out;
  stretcher.push(std::span(speech()).first(5), out);
  EXPECT_EQ(out.size(), 5U);  // at once
}

TEST(TimeStretcher, length_is_that_of_the_input_over_the_speed) {
  for (const double speed : kSpeeds) {
    for (const size_t length : {0, 1, 299, 300, 599, 600, 601, 1000, 1419, 1420, 5000, 44100}) {
      const std::vector<float> out = stretched(tone(length, 200, kRate), speed);
      EXPECT_EQ(out.size(), static_cast<size_t>(std::llround(static_cast<double>(length) / speed)))
          << length << " samples at speed " << speed;
    }
  }
}

TEST(TimeStretcher, a_sine_keeps_its_frequency) {
  for (const double speed : kSpeeds) {
    for (const double hz : {120.0, 200.0, 440.0, 1000.0}) {
      EXPECT_NEAR(frequency(stretched(tone(44100, hz, kRate), speed)), hz, 0.01 * hz)
          << "speed " << speed;
    }
  }
}

TEST(TimeStretcher, a_sine_gets_no_clicks_and_keeps_its_loudness) {
  for (const double speed : kSpeeds) {
    for (const double hz : {120.0, 200.0, 440.0, 1000.0}) {
      const std::vector<float> sound = tone(44100, hz, kRate);
      const std::vector<float> out = stretched(sound, speed);
      // Pieces meet in phase to within half a sample; the fade adds 0.5 * pi / 300 at most to that.
      EXPECT_LT(largest_step(out), 1.02F * largest_step(sound) + 0.003F)
          << hz << " Hz at speed " << speed;
      EXPECT_NEAR(rms(out), rms(sound), 0.02 * rms(sound)) << hz << " Hz at speed " << speed;
    }
  }
}

TEST(TimeStretcher, speech_keeps_its_pitch_and_its_loudness) {
  const double pitch = median_pitch(speech());
  for (const double speed : {0.5, 0.8, 1.25, 1.5, 2.0}) {
    const std::vector<float> out = stretched(speech(), speed);
    EXPECT_NEAR(median_pitch(out), pitch, 0.03 * pitch) << "speed " << speed;
    EXPECT_NEAR(rms(out), rms(speech()), 0.1 * rms(speech())) << "speed " << speed;
    EXPECT_LE(peak(out), peak(speech())) << "speed " << speed;  // a fade never adds up to more
    EXPECT_LE(largest_step(out), 1.1F * largest_step(speech())) << "speed " << speed;
  }
}

TEST(TimeStretcher, output_does_not_depend_on_the_pieces) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> sound(30000);
  for (size_t i = 0; i < sound.size(); ++i) sound[i] = 0.3F * uniform(random) + speech()[i];
  for (const double speed : kSpeeds) {
    const std::vector<float> whole = stretched(sound, speed, sound.size());
    for (const size_t piece : {1, 113, 1760, 9999}) {
      ASSERT_EQ(stretched(sound, speed, piece), whole) << "speed " << speed << ", " << piece;
    }
  }
}

TEST(TimeStretcher, output_follows_the_input_closely) {
  for (const double speed : {0.25, 0.8, 1.5, 4.0}) {
    TimeStretcher stretcher(speed, kRate);
    std::vector<float> out;
    size_t pushed = 0;
    for (size_t i = 0; i + 220 <= speech().size(); i += 220) {
      stretcher.push(std::span(speech()).subspan(i, 220), out);
      pushed += 220;
      const double owed = static_cast<double>(pushed) / speed - static_cast<double>(out.size());
      ASSERT_GE(owed, 0);
      ASSERT_LE(owed, (0.0375 * kRate) / speed + 300) << "speed " << speed;
    }
  }
}

TEST(TimeStretcher, can_be_used_again) {
  TimeStretcher stretcher(1.3, kRate);
  std::vector<float> first;
  std::vector<float> second;
  stretcher.push(speech(), first);
  stretcher.finish(first);
  stretcher.push(speech(), second);
  stretcher.finish(second);
  EXPECT_EQ(first, second);
}

TEST(TimeStretcher, silence_stays_silent) {
  const std::vector<float> silence(10000);
  EXPECT_EQ(peak(stretched(silence, 0.7)), 0.0F);
}

TEST(TimeStretcher, impossible_speeds_and_rates_are_refused) {
  for (const double speed : {0.0, -1.0, 0.2499, 4.001, std::nan("")}) {
    EXPECT_TRUE(
        error_of([&] { TimeStretcher(speed, kRate); }).starts_with("invalid_argument: speed is "))
        << speed;
  }
  EXPECT_TRUE(error_of([] { TimeStretcher(1, 0); }).starts_with("invalid_argument: sample rate"));
}

}  // namespace
}  // namespace kani
