// What is refused, what is warned of, and that no more of a file is read than counts.
#include "kani/speaker/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kani/base/error.h"

namespace kani {
namespace {

std::vector<float> hum(double seconds, int rate_hz, double level = 0.1) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate_hz));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<float>(level * std::sin(0.05 * static_cast<double>(i)));
  return samples;
}

std::string refusal(std::vector<float> samples, int rate_hz) {
  try {
    make_reference(std::move(samples), rate_hz, "a.wav");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return error.what();
  }
  return "accepted";
}

TEST(Reference, sound_that_holds_no_voice_is_refused_with_its_reason) {
  EXPECT_EQ(refusal(hum(0.0449, 16000), 16000),
            "a.wav: too short: 718 samples at 16 kHz, expected at least 720");
  EXPECT_EQ(refusal({}, 16000), "a.wav: too short: 0 samples at 16 kHz, expected at least 720");
  EXPECT_EQ(refusal(std::vector<float>(16000, 0.25F), 16000), "a.wav: silent");
  EXPECT_EQ(refusal(hum(1, 7999), 7999), "a.wav: sample rate is 7999 Hz, must be 8000 to 192000");
  std::vector<float> broken = hum(1, 16000);
  broken[77] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal(broken, 16000), "a.wav: sample 77 is not finite");
  EXPECT_EQ(refusal(hum(0.045, 16000), 16000), "accepted");
}

TEST(Reference, warnings_say_what_a_better_recording_would_have) {
  using Warnings = std::vector<std::string>;
  EXPECT_EQ(make_reference(hum(4, 16000), 16000, "a").warnings, Warnings{});
  EXPECT_EQ(make_reference(hum(1, 16000), 16000, "a").warnings,
            Warnings{"only 1.0 s long; 3 to 30 s are advised, best 10 to 20 s"});
  const Reference longer = make_reference(hum(31, 44100), 44100, "a");
  EXPECT_EQ(longer.warnings, Warnings{"longer than 30.0 s; only the first 30.0 s are used"});
  EXPECT_EQ(longer.samples.size(), 480000u);
  EXPECT_TRUE(longer.cut);
  EXPECT_EQ(make_reference(hum(4, 16000, 1e-4), 16000, "a").warnings, Warnings{"very quiet"});
}

TEST(Reference, a_long_file_is_not_read_to_its_end) {
  const std::filesystem::path folder = std::filesystem::path(KANI_TEST_DATA) / "speaker/audio";
  const Reference reference = read_reference(folder / "long_35s.wav");
  EXPECT_TRUE(reference.cut);
  EXPECT_LE(reference.original.size(), static_cast<size_t>(30.1 * reference.rate_hz));
}

}  // namespace
}  // namespace kani
