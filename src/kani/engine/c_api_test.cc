// The C door: statuses, messages, struct sizes, threads.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "kani/c.h"

namespace {

const std::string kModel = std::string(KANI_SOURCE_DIR) + "/models/kani-mini";

struct Sound {
  std::vector<float> samples;
  int last_calls = 0;
  size_t stop_after = SIZE_MAX;
};

int collect(const float* samples, size_t n, int rate, int is_last, void* user) {
  auto* sound = static_cast<Sound*>(user);
  EXPECT_EQ(rate, 22050);
  if (n > 0) sound->samples.insert(sound->samples.end(), samples, samples + n);
  sound->last_calls += is_last;
  return sound->samples.size() >= sound->stop_after ? 1 : 0;
}

class CApi : public testing::Test {
 protected:
  void SetUp() override {
    kani_engine_params params;
    kani_engine_params_default(&params);
    params.model = kModel.c_str();
    params.threads = 2;
    ASSERT_EQ(kani_engine_open(&params, &engine_), KANI_OK) << kani_last_error(nullptr);
  }
  void TearDown() override { kani_engine_close(engine_); }

  static kani_request request(const char* text) {
    kani_request r;
    kani_request_default(&r);
    r.text = text;
    r.seed = 5;
    r.max_new_tokens = 60;
    return r;
  }

  kani_engine* engine_ = nullptr;
};

TEST_F(CApi, says_a_sentence_and_marks_the_end) {
  Sound sound;
  const kani_request r = request("Good morning.");
  ASSERT_EQ(kani_say(engine_, &r, collect, &sound), KANI_OK) << kani_last_error(engine_);
  EXPECT_GT(sound.samples.size(), 3000u);
  EXPECT_EQ(sound.last_calls, 1);
  EXPECT_EQ(kani_sample_rate(engine_), 22050);
  EXPECT_STREQ(kani_last_error(engine_), "");
}

TEST_F(CApi, threads_wait_for_each_other_and_get_the_same_samples) {
  std::vector<Sound> sounds(3);
  std::vector<std::thread> threads;
  for (Sound& sound : sounds) {
    threads.emplace_back([&] {
      const kani_request r = request("Good morning.");
      EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_OK);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sounds[0].samples, sounds[1].samples);
  EXPECT_EQ(sounds[0].samples, sounds[2].samples);
}

TEST_F(CApi, a_callback_can_stop) {
  Sound sound;
  sound.stop_after = 1;
  const kani_request r = request("Good morning.");
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_ERR_CANCELLED);
  EXPECT_EQ(sound.last_calls, 0);
}

TEST_F(CApi, streams_text) {
  kani_request r = request(nullptr);
  kani_stream* stream = nullptr;
  ASSERT_EQ(kani_stream_open(engine_, &r, &stream), KANI_OK) << kani_last_error(engine_);
  const float* samples = nullptr;
  size_t n = 1, total = 0;
  EXPECT_EQ(kani_stream_next(stream, &samples, &n), KANI_OK);
  EXPECT_EQ(n, 0u);
  EXPECT_EQ(kani_stream_push_text(stream, "Good mor"), KANI_OK);
  EXPECT_EQ(kani_stream_push_text(stream, "ning."), KANI_OK);
  EXPECT_EQ(kani_stream_flush(stream), KANI_OK);
  while (kani_stream_next(stream, &samples, &n) == KANI_OK) total += n;
  EXPECT_GT(total, 3000u);
  EXPECT_EQ(kani_stream_next(stream, &samples, &n), KANI_DONE);
  EXPECT_EQ(kani_stream_cancel(stream), KANI_OK);
  EXPECT_EQ(kani_stream_next(stream, &samples, &n), KANI_ERR_CANCELLED);
  kani_stream_close(stream);
}

TEST_F(CApi, loads_voices) {
  kani_voice* voice = nullptr;
  ASSERT_EQ(kani_voice_load(engine_, "rms", &voice), KANI_OK);
  kani_request r = request("Good morning.");
  r.voice = voice;
  Sound sound;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_OK);
  kani_voice_free(voice);
  EXPECT_EQ(kani_voice_load(engine_, "nobody", &voice), KANI_ERR_NOT_FOUND);
  EXPECT_EQ(voice, nullptr);
  EXPECT_NE(std::string(kani_last_error(engine_)).find("nobody"), std::string::npos);
}

const std::string kRecording = std::string(KANI_TEST_DATA) + "/speaker/audio/female_22k.wav";

TEST_F(CApi, makes_voices_from_recordings_and_saves_them) {
  kani_voice* voice = nullptr;
  const char* paths[] = {kRecording.c_str(), kRecording.c_str()};
  ASSERT_EQ(kani_voice_from_files(engine_, paths, 2, &voice), KANI_OK) << kani_last_error(engine_);
  kani_request r = request("Good morning.");
  r.voice = voice;
  Sound sound;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_OK);
  EXPECT_GT(sound.samples.size(), 3000u);
  std::string folder = testing::TempDir() + "kani-c-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/v.pt";
  EXPECT_EQ(kani_voice_save(voice, file.c_str()), KANI_OK) << kani_last_error(nullptr);
  EXPECT_EQ(kani_voice_save(voice, (folder + "/v.wav").c_str()), KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(kani_voice_save(voice, (folder + "/none/v.pt").c_str()), KANI_ERR_CANNOT_WRITE);
  EXPECT_EQ(kani_voice_save(nullptr, file.c_str()), KANI_ERR_INVALID_ARGUMENT);
  kani_voice_free(voice);
  ASSERT_EQ(kani_voice_load(engine_, file.c_str(), &voice), KANI_OK);
  r.voice = voice;
  Sound again;
  EXPECT_EQ(kani_say(engine_, &r, collect, &again), KANI_OK);
  EXPECT_EQ(again.samples, sound.samples);
  kani_voice_free(voice);
  std::filesystem::remove_all(folder);
}

TEST_F(CApi, makes_voices_from_samples) {
  std::vector<float> samples(48000);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        std::sin(static_cast<float>(i % 133) * 0.0472F) * (i / 4000 % 2 == 0 ? 0.5F : 0.1F);
  kani_voice* voice = nullptr;
  EXPECT_EQ(kani_voice_from_audio(engine_, samples.data(), samples.size(), 16000, &voice), KANI_OK)
      << kani_last_error(engine_);
  EXPECT_NE(voice, nullptr);
  kani_voice_free(voice);
  EXPECT_EQ(kani_voice_from_audio(engine_, samples.data(), samples.size(), 100, &voice),
            KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(voice, nullptr);
  EXPECT_EQ(kani_voice_from_audio(engine_, samples.data(), 10, 16000, &voice), KANI_ERR_BAD_INPUT);
  samples[5] = NAN;
  EXPECT_EQ(kani_voice_from_audio(engine_, samples.data(), samples.size(), 16000, &voice),
            KANI_ERR_BAD_INPUT);
  EXPECT_EQ(kani_voice_from_audio(engine_, nullptr, 5, 16000, &voice), KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(kani_voice_from_audio(nullptr, samples.data(), 5, 16000, &voice),
            KANI_ERR_INVALID_ARGUMENT);
  const char* missing[] = {"/nonexistent.wav"};
  EXPECT_EQ(kani_voice_from_files(engine_, missing, 1, &voice), KANI_ERR_NOT_FOUND);
  EXPECT_EQ(kani_voice_from_files(engine_, missing, 0, &voice), KANI_ERR_INVALID_ARGUMENT);
  const char* null[] = {nullptr};
  EXPECT_EQ(kani_voice_from_files(engine_, null, 1, &voice), KANI_ERR_INVALID_ARGUMENT);
}

// The encoder is looked at when the first voice is made, and a caller compiled against an older
// header knows nothing of it.
TEST(CApiVoices, the_encoder_can_be_named) {
  kani_engine_params params;
  kani_engine_params_default(&params);
  params.model = kModel.c_str();
  params.speaker_encoder = "/nonexistent";
  kani_engine* engine = nullptr;
  ASSERT_EQ(kani_engine_open(&params, &engine), KANI_OK) << kani_last_error(nullptr);
  kani_voice* voice = nullptr;
  const char* paths[] = {kRecording.c_str()};
  EXPECT_EQ(kani_voice_from_files(engine, paths, 1, &voice), KANI_ERR_NOT_FOUND);
  EXPECT_NE(std::string(kani_last_error(engine)).find("/nonexistent"), std::string::npos);
  kani_engine_close(engine);
  params.size = offsetof(kani_engine_params, speaker_encoder);
  ASSERT_EQ(kani_engine_open(&params, &engine), KANI_OK) << kani_last_error(nullptr);
  EXPECT_EQ(kani_voice_from_files(engine, paths, 1, &voice), KANI_OK) << kani_last_error(engine);
  kani_voice_free(voice);
  kani_engine_close(engine);
}

TEST_F(CApi, misuse_is_answered_with_a_status) {
  kani_request r = request("");
  Sound sound;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_ERR_BAD_INPUT);
  r = request("Hello.");
  EXPECT_EQ(kani_say(engine_, &r, nullptr, nullptr), KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(kani_say(engine_, nullptr, collect, &sound), KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(kani_say(nullptr, &r, collect, &sound), KANI_ERR_INVALID_ARGUMENT);
  r.size = 0;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_ERR_INVALID_ARGUMENT);
  r = request("Hello.");
  r.speed = 77;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(kani_stream_flush(nullptr), KANI_ERR_INVALID_ARGUMENT);
  kani_engine* none = nullptr;
  kani_engine_params params;
  kani_engine_params_default(&params);
  params.model = "/nonexistent";
  EXPECT_EQ(kani_engine_open(&params, &none), KANI_ERR_NOT_FOUND);
  EXPECT_NE(std::string(kani_last_error(nullptr)).find("/nonexistent"), std::string::npos);
  kani_engine_close(nullptr);
  kani_voice_free(nullptr);
  kani_stream_close(nullptr);
  EXPECT_STREQ(kani_status_string(KANI_ERR_BUSY), "busy");
}

// A caller compiled against an older header passes a shorter struct.
TEST_F(CApi, shorter_structs_keep_the_defaults_of_what_they_lack) {
  kani_request r = request("Good morning.");
  r.size = offsetof(kani_request, speed);
  r.speed = NAN;  // must not be looked at
  r.volume = NAN;
  r.sentence_silence_s = NAN;
  Sound sound;
  EXPECT_EQ(kani_say(engine_, &r, collect, &sound), KANI_OK) << kani_last_error(engine_);
}

}  // namespace
