// The engine on the model that ships with the repository: seeds, voices, chunks, refusals, streams.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/formats/voice_file.h"
#include "kani/kani.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

fs::path mini_model() { return fs::path(KANI_SOURCE_DIR) / "models" / "kani-mini"; }

class EngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { engine_ = new Engine({.model = mini_model(), .threads = 2}); }
  static void TearDownTestSuite() {
    delete engine_;
    engine_ = nullptr;
  }

  static std::vector<float> speak(const SpeechRequest& request, SpeechResult* result = nullptr) {
    std::vector<float> sound;
    const SpeechResult got = engine_->speak(request, [&](std::span<const float> samples) {
      sound.insert(sound.end(), samples.begin(), samples.end());
      return true;
    });
    if (result != nullptr) *result = got;
    return sound;
  }

  static SpeechRequest hello() {
    return {.text = "Good morning.", .sampling = {.max_new_tokens = 80, .seed = 7}};
  }

  static Engine* engine_;
};
Engine* EngineTest::engine_ = nullptr;

template <typename Call>
ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.code();
  }
  ADD_FAILURE() << "accepted";
  return ErrorCode::kInternal;
}

TEST_F(EngineTest, speaks_sound_of_plausible_length_and_level) {
  SpeechResult result;
  const std::vector<float> sound = speak(hello(), &result);
  EXPECT_GT(sound.size(), 4000u);
  EXPECT_NEAR(result.sound_s, static_cast<double>(sound.size()) / engine_->sample_rate_hz(), 1e-9);
  double squares = 0;
  for (const float sample : sound) {
    ASSERT_TRUE(std::isfinite(sample) && std::fabs(sample) <= 1.0F);
    squares += static_cast<double>(sample) * static_cast<double>(sample);
  }
  EXPECT_GT(std::sqrt(squares / static_cast<double>(sound.size())), 0.01);
  EXPECT_EQ(result.seed, 7u);
  ASSERT_EQ(result.segments.size(), 1u);
  EXPECT_EQ(result.tokens % 4, 0u);
}

TEST_F(EngineTest, same_seed_gives_the_same_samples_and_another_seed_others) {
  SpeechRequest other = hello();
  other.sampling.seed = 8;
  EXPECT_EQ(speak(hello()), speak(hello()));
  EXPECT_NE(speak(hello()), speak(other));
}

TEST_F(EngineTest, samples_do_not_depend_on_the_number_of_threads) {
  Engine single({.model = mini_model(), .threads = 1});
  std::vector<float> sound;
  single.speak(hello(), [&](std::span<const float> samples) {
    sound.insert(sound.end(), samples.begin(), samples.end());
    return true;
  });
  EXPECT_EQ(sound, speak(hello()));
}

TEST_F(EngineTest, a_chunk_sounds_the_same_alone_and_after_others) {
  SpeechRequest request = hello();
  request.text = "Good morning.\n\nThe old dog walked to the river on Sunday.";
  request.sampling.temperature = 0;
  request.sentence_silence_s = 0.5;
  SpeechResult result;
  const std::vector<float> both = speak(request, &result);
  ASSERT_EQ(result.segments.size(), 2u);
  SpeechRequest first = request;
  first.text = "Good morning.";
  const std::vector<float> alone = speak(first);
  ASSERT_LT(alone.size(), both.size());
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), both.begin()));
  const auto silence = static_cast<size_t>(std::lround(0.5 * engine_->sample_rate_hz()));
  for (size_t i = 0; i < silence; ++i) ASSERT_EQ(both[alone.size() + i], 0.0F);
  EXPECT_NEAR(result.segments[1].start_s,
              static_cast<double>(alone.size() + silence) / engine_->sample_rate_hz(), 1e-9);
  EXPECT_EQ(request.text.substr(result.segments[1].source_begin, 7), "The old");
}

TEST_F(EngineTest, chunks_written_at_once_give_the_same_sound) {
  SpeechRequest request = hello();
  request.sampling.max_new_tokens = 40;
  request.text.clear();
  for (const char* sentence :
       {"Good morning.", "The old dog walked to the river on Sunday.", "Yes.",
        "[pause:200ms] A third of it is gone.", "She sings.", "Good night."})
    request.text += std::string(sentence) + "\n\n";
  SpeechResult alone, together;
  const std::vector<float> want = speak(request, &alone);
  ASSERT_GE(alone.segments.size(), 5u);
  for (const int batch : {2, 3, 8, 64}) {
    request.batch = batch;
    EXPECT_EQ(speak(request, &together), want) << batch;
    ASSERT_EQ(together.segments.size(), alone.segments.size());
    EXPECT_EQ(together.tokens, alone.tokens);
    for (size_t i = 0; i < alone.segments.size(); ++i) {
      EXPECT_EQ(together.segments[i].text, alone.segments[i].text);
      EXPECT_EQ(together.segments[i].start_s, alone.segments[i].start_s);
      EXPECT_EQ(together.segments[i].end_s, alone.segments[i].end_s);
      EXPECT_EQ(together.segments[i].truncated, alone.segments[i].truncated);
    }
  }
}

TEST_F(EngineTest, two_streams_of_one_engine_take_turns) {
  SpeechRequest request = hello();
  request.text = "Good morning. The old dog walked to the river.";
  std::vector<float> piece, want, sounds[2];
  SpeechStream alone = engine_->stream(request);
  alone.flush();
  while (alone.next(piece)) want.insert(want.end(), piece.begin(), piece.end());
  SpeechStream first = engine_->stream(request), second = engine_->stream(request);
  first.flush();
  second.flush();
  for (bool more = true; more;) {
    more = false;
    if (first.next(piece)) {
      sounds[0].insert(sounds[0].end(), piece.begin(), piece.end());
      more = true;
    }
    if (second.next(piece)) {
      sounds[1].insert(sounds[1].end(), piece.begin(), piece.end());
      more = true;
    }
  }
  EXPECT_EQ(sounds[0], want);
  EXPECT_EQ(sounds[1], want);
}

TEST_F(EngineTest, a_stream_may_be_dropped_in_the_middle) {
  SpeechRequest request = hello();
  request.text = "The old dog walked to the river on Sunday.";
  std::vector<float> piece;
  for (int pieces = 0; pieces < 4; ++pieces) {
    SpeechStream stream = engine_->stream(request);
    stream.flush();
    for (int i = 0; i < pieces; ++i) ASSERT_TRUE(stream.next(piece));
  }
  EXPECT_FALSE(speak(hello()).empty());
}

TEST_F(EngineTest, pauses_in_the_text_are_silence_before_between_and_behind) {
  SpeechRequest request = hello();
  request.sampling.max_new_tokens = 8;
  request.sentence_silence_s = 0.1;
  const size_t bare = speak(request).size();
  request.text = "[pause:0.5s] Good morning. [pause:300ms]";
  const std::vector<float> paused = speak(request);
  const auto samples = [&](double seconds) {
    return static_cast<size_t>(std::lround(seconds * engine_->sample_rate_hz()));
  };
  ASSERT_EQ(paused.size(), bare + samples(0.5) + samples(0.3));
  for (size_t i = 0; i < samples(0.5); ++i) ASSERT_EQ(paused[i], 0.0F);
  for (size_t i = 1; i <= samples(0.3); ++i) ASSERT_EQ(paused[paused.size() - i], 0.0F);
}

TEST_F(EngineTest, token_limit_is_reported) {
  SpeechRequest request = hello();
  request.sampling.max_new_tokens = 8;
  SpeechResult result;
  const std::vector<float> sound = speak(request, &result);
  EXPECT_EQ(sound.size(), 2u * 1764u);
  EXPECT_TRUE(result.truncated());
}

TEST_F(EngineTest, speed_changes_the_length_and_volume_the_level) {
  const std::vector<float> normal = speak(hello());
  SpeechRequest fast = hello();
  fast.speed = 2;
  EXPECT_NEAR(static_cast<double>(speak(fast).size()), static_cast<double>(normal.size()) / 2,
              1500);
  SpeechRequest quiet = hello();
  quiet.volume = 0.5;
  const std::vector<float> half = speak(quiet);
  ASSERT_EQ(half.size(), normal.size());
  for (size_t i = 0; i < half.size(); ++i) ASSERT_EQ(half[i], normal[i] * 0.5F);
}

TEST_F(EngineTest, voices_change_the_sound_and_are_checked) {
  SpeechRequest none = hello();
  none.random_voice = true;
  EXPECT_NE(speak(none), speak(hello()));
  SpeechRequest named = hello();
  named.voice = engine_->voice("rms");
  EXPECT_EQ(speak(named), speak(hello())) << "the only voice of the set is the default";
  EXPECT_EQ(code_of([&] { engine_->voice("nobody"); }), ErrorCode::kNotFound);
  const fs::path file = fs::temp_directory_path() / "kani-engine-test-voice.safetensors";
  write_voice(file, VoiceFormat::kSafetensors, std::vector<float>(192, 0.1F), {});
  EXPECT_EQ(code_of([&] { engine_->voice(file.string()); }), ErrorCode::kBadInput);
  fs::remove(file);
  SpeechRequest wrong = hello();
  wrong.voice = Voice{.name = "short", .values = {1, 2, 3}};
  EXPECT_EQ(code_of([&] { speak(wrong); }), ErrorCode::kBadInput);
}

TEST_F(EngineTest, bad_requests_are_refused_by_name) {
  const auto refused = [&](auto change) {
    SpeechRequest request = hello();
    change(request);
    return code_of([&] { speak(request); });
  };
  EXPECT_EQ(refused([](SpeechRequest& r) { r.text = ""; }), ErrorCode::kBadInput);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.text = " \n\t "; }), ErrorCode::kBadInput);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.text = "ab\xFF"; }), ErrorCode::kBadInput);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.speed = 9; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.volume = -1; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.sentence_silence_s = NAN; }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.batch = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.batch = 65; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.sampling.top_p = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.sampling.temperature = -1; }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](SpeechRequest& r) { r.sampling.max_new_tokens = 0; }),
            ErrorCode::kInvalidArgument);
}

TEST_F(EngineTest, control_tokens_in_a_text_are_plain_text) {
  SpeechRequest request = hello();
  request.text = "<|startoftext|> Good morning.";
  request.normalize_text = false;  // or its signs would be spelled out
  SpeechRequest parity = request;
  parity.match_added_tokens = true;
  EXPECT_NE(speak(request), speak(parity));
}

TEST_F(EngineTest, sink_and_token_stop_the_speech) {
  SpeechRequest request = hello();
  int calls = 0;
  EXPECT_TRUE(engine_->speak(request, [&](std::span<const float>) { return ++calls < 2; }).stopped);
  EXPECT_EQ(calls, 2);
  CancelToken cancel;
  EXPECT_EQ(code_of([&] {
              engine_->speak(
                  request, [&](std::span<const float>) { return cancel.cancel(), true; }, {},
                  &cancel);
            }),
            ErrorCode::kCancelled);
  EXPECT_FALSE(speak(hello()).empty()) << "usable afterwards";
}

TEST_F(EngineTest, a_stream_speaks_what_speak_speaks) {
  SpeechRequest whole = hello();
  whole.text = "Good morning, this is Helen. The old dog walked to the river on Sunday.";
  whole.sentence_silence_s = 0;
  SpeechRequest empty = whole;
  empty.text.clear();
  SpeechStream stream = engine_->stream(empty);
  std::vector<float> samples;
  EXPECT_FALSE(stream.next(samples)) << "nothing to speak yet";
  for (const char c : whole.text) stream.push_text({&c, 1});
  size_t before_flush = 0;
  while (stream.next(samples)) before_flush += samples.size();
  EXPECT_GT(before_flush, 0u) << "the first sentence is complete";
  stream.flush();
  size_t after_flush = 0;
  while (stream.next(samples)) after_flush += samples.size();
  EXPECT_GT(after_flush, 0u);
  EXPECT_EQ(stream.result().segments.size(), 2u);
  stream.push_text("One more. And");
  stream.cancel();
  EXPECT_THROW(stream.next(samples), Error);
}

TEST_F(EngineTest, a_stream_takes_text_cut_anywhere) {
  SpeechRequest request = hello();
  request.text.clear();
  SpeechStream stream = engine_->stream(request);
  stream.push_text("Caf\xC3");
  stream.push_text("\xA9 is open.");
  EXPECT_EQ(code_of([&] { stream.push_text("\xFF\xFF\xFF\xFF "); }), ErrorCode::kBadInput);
}

TEST_F(EngineTest, describes_what_it_loaded) {
  const ModelInfo info = describe_model({.model = mini_model()});
  EXPECT_EQ(info.hidden_size, 192);
  EXPECT_EQ(info.sample_rate_hz, 22050);
  EXPECT_EQ(info.codebook_size, 4032);
  EXPECT_EQ(info.default_voice, "rms");
  EXPECT_EQ(info.stored_type, "BF16");
  EXPECT_EQ(info.parameters, engine_->info().parameters);
}

TEST_F(EngineTest, benchmarks_do_the_work_that_is_asked_for) {
  EXPECT_EQ(engine_->time_prefill(20).units, 20u);
  EXPECT_EQ(engine_->time_decode(5, 9, 3).units, 27u);
  EXPECT_EQ(engine_->time_codec(1.0, 4).units, 13u);
  EXPECT_EQ(code_of([&] { engine_->time_prefill(0); }), ErrorCode::kInvalidArgument);
}

// The model of the repository with tags for two languages.
fs::path tagged_model() {
  const fs::path folder = fs::temp_directory_path() / ("kani_tagged_" + std::to_string(getpid()));
  fs::copy(mini_model(), folder,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const auto edit = [&](const char* name, const char* key, const Json& value) {
    Json json = parse_json(read_file(folder / "lm" / name, 1 << 20), "the test");
    json[key] = value;
    write_file(folder / "lm" / name, dump_json(json));
  };
  edit("config.json", "language_settings",
       {{"status", "available_language_tags"}, {"language_tags_list", {"en", "es"}}});
  edit("generation_config.json", "kani_language", "en");
  return folder;
}

TEST(EngineLanguage, is_that_of_the_request_or_of_the_voice_or_of_the_model) {
  const fs::path folder = tagged_model();
  {
    Engine engine({.model = folder, .threads = 2});
    const auto speak = [&](const std::string& language, std::optional<Voice> voice) {
      SpeechRequest request{.text = "Taxi 2.", .sampling = {.max_new_tokens = 80, .seed = 7}};
      request.language = language;
      request.voice = std::move(voice);
      std::vector<float> sound;
      engine.speak(request, [&](std::span<const float> samples) {
        sound.insert(sound.end(), samples.begin(), samples.end());
        return true;
      });
      return sound;
    };
    const std::vector<float> english = speak("en", {}), spanish = speak("es", {});
    EXPECT_NE(english, spanish);
    EXPECT_EQ(speak("", {}), english) << "the model's own choice";
    Voice voice = engine.voice(engine.info().default_voice);
    voice.language = "es";
    EXPECT_EQ(speak("", voice), spanish) << "the voice's";
    EXPECT_EQ(speak("en", voice), english) << "the request's";
    voice.language = "ko";
    EXPECT_EQ(speak("", voice), english) << "the model does not know the voice's";
  }
  fs::remove_all(folder);
}

TEST(EngineLanguage, warns_once_of_a_tag_that_the_model_does_not_know) {
  const fs::path folder = tagged_model();
  std::vector<std::string> warnings;
  set_log_sink(
      [&](LogLevel, std::string_view, std::string_view text) {
        if (text.find("tag") != std::string_view::npos) warnings.emplace_back(text);
      },
      LogLevel::kWarning);
  {
    Engine engine({.model = folder, .threads = 1});
    for (const char* tag : {"en", "ky", "es", "ky", "fr"}) {
      SpeechRequest request{.text = "Yes.", .sampling = {.max_new_tokens = 8, .seed = 7}};
      request.language = tag;
      engine.speak(request, [](std::span<const float>) { return true; });
    }
  }
  set_log_sink({});
  fs::remove_all(folder);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("ky"), std::string::npos);
  EXPECT_NE(warnings[1].find("fr"), std::string::npos);
}

TEST(Inspect, check_file_says_what_it_found) {
  EXPECT_EQ(check_file(mini_model(), true).kind, "model set");
  EXPECT_EQ(check_file(mini_model() / "lm", true).kind, "language model");
  EXPECT_EQ(check_file(mini_model() / "codec.nemo", true).kind, "codec");
  EXPECT_EQ(check_file(mini_model() / "voices" / "rms.safetensors", true).kind, "voice");
  EXPECT_EQ(check_file(mini_model() / "lm" / "tokenizer.json", true).kind, "tokenizer");
  EXPECT_EQ(code_of([] { check_file("/nonexistent", true); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([] { check_file(mini_model() / "README.md", true); }), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace kani
