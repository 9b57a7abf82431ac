// Voices from recordings, on the small encoder that ships with the repository: means that keep
// their length, reports, refusals.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "kani/audio/sound_reader.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/kani.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

fs::path model() { return fs::path(KANI_SOURCE_DIR) / "models" / "kani-mini"; }
fs::path recording(const char* name) {
  return fs::path(KANI_TEST_DATA) / "speaker" / "audio" / name;
}

VoiceEncoder encoder() { return VoiceEncoder({.model = model(), .threads = 2}); }

double length_of(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

template <typename Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error;
  }
  ADD_FAILURE() << "accepted";
  return Error(ErrorCode::kInternal, "");
}

TEST(VoiceEncoder, one_recording_gives_a_unit_vector_and_a_report) {
  const ClonedVoice cloned = encoder().clone({recording("stereo_44k.wav")});
  EXPECT_EQ(cloned.voice.values.size(), 128U);
  EXPECT_NEAR(length_of(cloned.voice.values), 1, 1e-5);
  EXPECT_FALSE(cloned.lowest_cosine);
  ASSERT_EQ(cloned.recordings.size(), 1U);
  const RecordingReport& report = cloned.recordings[0];
  EXPECT_EQ(report.rate_hz, 44100);
  EXPECT_EQ(report.channels, 2);
  EXPECT_NEAR(report.seconds, 1.5, 0.01);
  EXPECT_LE(report.peak_db, 0.1);
  EXPECT_GT(report.peak_db, -60);
  EXPECT_EQ(report.sha256, sha256_hex(recording("stereo_44k.wav")));
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_NE(report.warnings[0].find("only 1.5 s long"), std::string::npos);
  const auto& details = cloned.voice.details;
  EXPECT_EQ(details.at("encoder"), "kani-mini/speaker");
  EXPECT_EQ(details.at("encoder_sha256"), sha256_hex(model() / "speaker" / "model.safetensors"));
  EXPECT_EQ(details.at("source_sha256"), report.sha256);
  EXPECT_EQ(details.at("source_seconds"), "1.50");
  EXPECT_EQ(details.at("created").size(), 20U);
}

TEST(VoiceEncoder, several_recordings_give_the_plain_mean) {
  VoiceEncoder maker = encoder();
  const ClonedVoice a = maker.clone({recording("speech_16k.wav")});
  const ClonedVoice b = maker.clone({recording("female_22k.wav")});
  const ClonedVoice c = maker.clone({recording("mono_48k.wav")});
  const ClonedVoice mean = maker.clone(
      {recording("speech_16k.wav"), recording("female_22k.wav"), recording("mono_48k.wav")});
  for (size_t i = 0; i < mean.voice.values.size(); ++i) {
    const double expected =
        (double{a.voice.values[i]} + double{b.voice.values[i]} + double{c.voice.values[i]}) / 3;
    EXPECT_EQ(mean.voice.values[i], static_cast<float>(expected));
  }
  EXPECT_LT(length_of(mean.voice.values), 1 - 1e-6) << "never renormalized";
  ASSERT_TRUE(mean.lowest_cosine);
  EXPECT_EQ(mean.voice.details.at("source_sha256").size(), 3 * 64U + 2);
  EXPECT_EQ(mean.warnings.empty(), *mean.lowest_cosine >= 0.47);
  const ClonedVoice twice = maker.clone({recording("mono_48k.wav"), recording("mono_48k.wav")});
  EXPECT_NEAR(*twice.lowest_cosine, 1, 1e-6);
  EXPECT_EQ(twice.voice.values, c.voice.values);
}

TEST(VoiceEncoder, samples_give_what_their_file_gives) {
  VoiceEncoder maker = encoder();
  const Sound sound = read_sound(recording("female_22k.wav"));
  const ClonedVoice from_samples = maker.clone(sound.samples, sound.rate_hz);
  EXPECT_EQ(from_samples.voice.values, maker.clone({recording("female_22k.wav")}).voice.values);
  EXPECT_EQ(from_samples.recordings[0].file, "recording");
}

TEST(VoiceEncoder, only_the_first_seconds_count) {
  VoiceEncoder maker({.model = model(), .max_seconds = 1});
  const ClonedVoice cut = maker.clone({recording("long_35s.wav")});
  EXPECT_TRUE(cut.recordings[0].cut);
  EXPECT_EQ(cut.recordings[0].seconds, 1);
  std::vector<float> endless(40'000'000, 0.1F);
  for (size_t i = 0; i < endless.size(); i += 3) endless[i] = -0.2F;
  EXPECT_TRUE(maker.clone(endless, 8000).recordings[0].cut);
}

TEST(VoiceEncoder, what_holds_no_voice_is_refused) {
  VoiceEncoder maker = encoder();
  EXPECT_EQ(error_of([&] { maker.clone({recording("silence.wav")}); }).code(),
            ErrorCode::kBadInput);
  EXPECT_EQ(error_of([&] { maker.clone({recording("nan.wav")}); }).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of([&] { maker.clone({recording("empty.wav")}); }).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of([&] { maker.clone({recording("none.wav")}); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { maker.clone({fs::path("/")}); }).code(), ErrorCode::kBadInput);
  EXPECT_EQ(error_of([&] { maker.clone(std::vector<fs::path>{}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      error_of([&] { maker.clone(std::vector<fs::path>(101, recording("mono_48k.wav"))); }).code(),
      ErrorCode::kInvalidArgument);
  const std::vector<float> samples(16000, 0.1F);
  EXPECT_EQ(error_of([&] { maker.clone(samples, 7999); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { maker.clone(samples, 16000); }).code(), ErrorCode::kBadInput)
      << "a constant";
  EXPECT_EQ(error_of([&] { maker.clone(std::span<const float>{}, 16000); }).code(),
            ErrorCode::kBadInput);
}

TEST(VoiceEncoder, cancelling_ends_it) {
  CancelToken cancel;
  cancel.cancel();
  VoiceEncoder maker = encoder();
  EXPECT_EQ(error_of([&] { maker.clone({recording("mono_48k.wav")}, &cancel); }).code(),
            ErrorCode::kCancelled);
}

TEST(VoiceEncoder, an_encoder_of_another_length_is_refused_with_both) {
  std::string name = fs::temp_directory_path() / "kani-encoder-XXXXXX";
  const fs::path folder = mkdtemp(name.data());
  std::string config = read_file(model() / "speaker" / "config.json", 1 << 20);
  const size_t at = config.find("\"embd_size\": 128");
  ASSERT_NE(at, std::string::npos);
  config.replace(at, 16, "\"embd_size\": 192");
  write_file(folder / "config.json", config);
  const Error error =
      error_of([&] { VoiceEncoder({.encoder = folder, .model = model(), .threads = 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("makes 192 numbers, the model takes 128"),
            std::string::npos)
      << error.what();
  EXPECT_EQ(VoiceEncoder({.encoder = folder, .model = model(), .voice_length = 192}).voice_length(),
            192U);
  write_file(folder / "config.json", "{");
  EXPECT_EQ(error_of([&] { VoiceEncoder({.encoder = folder, .model = model()}); }).code(),
            ErrorCode::kBadInput);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kani
