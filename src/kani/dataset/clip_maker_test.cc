// From a sound file to a clip with the small model that ships with the repository, hostile files,
// and work units that are found again.
#include "kani/dataset/clip_maker.h"

#include <gtest/gtest.h>

#include "kani/audio/sinc_resampler.h"
#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/dataset/build_plan.h"
#include "kani/dataset/clip_quality.h"
#include "kani/dataset/recording.h"
#include "kani/dataset/test_records.h"
#include "kani/dataset/test_sounds.h"
#include "kani/dataset/work_unit.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

const ClipRules& rules() {
  static const fs::path model = fs::path(KANI_SOURCE_DIR) / "models" / "kani-mini";
  static const ClipRules all({model / "lm", model / "codec.nemo", model / "speaker"},
                             {.language_tags = false});
  return all;
}

TEST(StretchReader, stretches_one_after_the_other_are_those_that_are_read_alone) {
  const RecordFolder folder;
  const auto write = [&](const char* name, uint64_t seed) {
    const auto writer = open_sound_file(
        folder / name,
        {.format = *sound_format_from_name(name), .input_rate_hz = 16000, .tags = false});
    writer->write(babble(14, 16000, seed));
    writer->finish();
  };
  for (const char* name : {"1.wav", "1.mp3", "1.ogg"}) {
    write(name, 1);
    const std::string bytes = read_file(folder / name, 1 << 24);
    StretchReader files, members;
    const auto expect_alone = [&](double start_s, double end_s) {
      SourceRecord record{.audio = name, .start_s = start_s, .end_s = end_s};
      DecodedSound alone, one, inside;
      const auto why = decode_record(record, folder / name, {}, alone);
      const auto why_file = files.decode(record, folder / name, {}, one);
      EXPECT_EQ(one.samples, alone.samples) << name << " " << start_s;
      EXPECT_EQ(why_file.has_value(), why.has_value());
      record.row = 1;
      members.decode(record, folder / name, {}, inside, std::as_bytes(std::span(bytes)));
      EXPECT_EQ(inside.samples, alone.samples) << name << " " << start_s;
    };
    // On, a little back in the same block, over several blocks, back, beyond the end, all of it.
    for (const double start_s : {0.0, 1.0, 4.5, 4.4, 9.0, 2.0, 12.0, 15.0, 13.5})
      expect_alone(start_s, start_s + 2);
    expect_alone(0, 0);
    expect_alone(5, 0);
    expect_alone(6, 7);
  }
  // Another file under the same name.
  StretchReader reader;
  DecodedSound before, after;
  const SourceRecord record{.audio = "1.wav", .start_s = 5, .end_s = 6};
  EXPECT_FALSE(reader.decode(record, folder / "1.wav", {}, before));
  write("1.wav", 2);
  EXPECT_FALSE(reader.decode(record, folder / "1.wav", {}, after));
  EXPECT_NE(before.samples, after.samples);
}

class ClipMaking : public testing::Test {
 protected:
  void sound(const char* name, const std::vector<float>& samples, int rate_hz = 16000) {
    const auto writer = open_sound_file(folder_ / name, {.input_rate_hz = rate_hz, .tags = false});
    writer->write(samples);
    writer->finish();
  }
  ClipResult make(const char* name, const char* text, double start_s = 0, double end_s = 0) {
    SourceRecord record{
        .audio = name, .text = text, .language = "en", .speaker = "anna", .source = "test"};
    record.start_s = start_s;
    record.end_s = end_s;
    return maker_.make(record, folder_ / name);
  }
  std::string reason(const ClipResult& result) {
    return result.reject ? std::string(reject_name(result.reject->reason)) : "";
  }

  RecordFolder folder_;
  ClipMaker maker_{rules()};
};

constexpr const char* kText = "Good morning, this is a test of it.";

TEST_F(ClipMaking, a_good_recording_gives_text_codes_and_voice_and_each_time_the_same) {
  sound("a.wav", speech(3, 16000));
  const ClipResult one = make("a.wav", kText), two = make("a.wav", kText);
  ASSERT_EQ(reason(one), "");
  const TrainingClip& clip = one.clip;
  EXPECT_EQ(clip.utf8, kText);
  EXPECT_EQ(clip.text.front(), 1);
  EXPECT_EQ(clip.voice.size(), 128U);
  const auto samples = std::llround(clip.duration_s * rules().codec().sample_rate_hz);
  const auto frame = rules().codec().samples_per_frame;
  EXPECT_EQ(clip.encoded_len, (samples + frame - 1) / frame);
  EXPECT_EQ(clip.codes.size(), static_cast<size_t>(clip.encoded_len) * 4);
  EXPECT_EQ(clip.codes, two.clip.codes);
  EXPECT_EQ(clip.voice, two.clip.voice);
  EXPECT_EQ(clip.notes, two.clip.notes);
  const Json notes = parse_json(clip.notes, "notes");
  EXPECT_EQ(notes.at("text_raw"), kText);
  EXPECT_EQ(notes.at("quality").size(), kQualityMeasures.size());
  for (const QualityMeasure& measure : kQualityMeasures)
    EXPECT_EQ(notes.at("quality").at(measure.name).is_number_integer(), measure.whole)
        << measure.name;
  EXPECT_NE(make("a.wav", "Good morning, this is another one.").clip.record, clip.record);
  EXPECT_EQ(make("a.wav", "Good morning, this is another one.").sound, one.sound);
}

TEST_F(ClipMaking, what_is_not_trimmed_is_whole_at_every_rate) {
  // 16,000 / 22,050 of its samples is no whole number: the voice must still be that of all of it.
  DecodedSound sound{.samples = speech(3, 22050), .rate_hz = 22050, .channels = 1};
  sound.samples.resize(44107);
  PreparedSound prepared;
  ASSERT_FALSE(prepare_sound(sound, 22050, {.trim = {.pad_s = 2}}, prepared).has_value());
  ASSERT_EQ(prepared.measures.trimmed_s, 0);
  EXPECT_EQ(prepared.codec.size(), sound.samples.size());
  EXPECT_EQ(prepared.speaker, SincResampler(22050, 16000).resample(sound.samples));
}

TEST_F(ClipMaking, codes_of_the_manifest_are_taken_as_they_are) {
  sound("a.wav", speech(3, 16000));
  const double frames = 3.0 * rules().codec().sample_rate_hz / rules().codec().samples_per_frame;
  const auto with = [&](int books, size_t count, int32_t code) {
    SourceRecord record{.audio = "a.wav", .text = kText, .language = "en", .speaker = "anna"};
    record.codebooks = books;
    record.codes.assign(static_cast<size_t>(books) * count, code);
    record.codes.back() = 7;
    return maker_.make(record, folder_ / "a.wav");
  };
  const auto whole = static_cast<size_t>(std::ceil(frames));
  const ClipResult good = with(4, whole, 4031);
  ASSERT_EQ(reason(good), "");
  EXPECT_EQ(good.clip.encoded_len, static_cast<int64_t>(whole));
  EXPECT_EQ(good.clip.codes.front(), 4031);
  EXPECT_EQ(good.clip.codes.back(), 7);
  EXPECT_EQ(good.clip.voice, make("a.wav", kText).clip.voice);
  for (const ClipResult& bad :
       {with(3, whole, 1), with(4, whole - 2, 1), with(4, whole + 3, 1), with(4, whole, 4032)}) {
    EXPECT_EQ(reason(bad), "manifest");
    EXPECT_NE(bad.reject->detail.find("codes: "), std::string::npos);
  }
}

TEST_F(ClipMaking, each_bad_sound_has_its_reason) {
  sound("good.wav", speech(3, 16000));
  std::vector<float> clipped = speech(3, 16000);
  for (float& sample : clipped) sample = std::clamp(20 * sample, -1.0F, 1.0F);
  sound("clipped.wav", clipped);
  sound("silent.wav", std::vector<float>(48000));
  sound("short.wav", speech(0.15, 16000));
  sound("long.wav", speech(41, 16000));
  sound("endless.wav", speech(125, 16000));
  std::vector<float> tone(48000), gap = speech(2, 16000);
  for (size_t i = 0; i < tone.size(); ++i) tone[i] = 0.3F * std::sin(0.1F * static_cast<float>(i));
  sound("tone.wav", tone);
  for (size_t i = 5000; i < 27000; ++i) gap[i] = 0;
  sound("gap.wav", gap);
  const std::string long_text = std::string(20, 'x') + std::string(600, 'a');
  EXPECT_EQ(reason(make("clipped.wav", kText)), "clipped");
  EXPECT_EQ(reason(make("silent.wav", kText)), "silent");
  EXPECT_EQ(reason(make("short.wav", "Hi")), "too_short");
  EXPECT_EQ(reason(make("long.wav", long_text.c_str())), "too_long");
  EXPECT_EQ(reason(make("endless.wav", kText)), "too_long");
  EXPECT_EQ(reason(make("tone.wav", kText)), "no_speech");
  EXPECT_EQ(reason(make("gap.wav", kText)), "silent");
  EXPECT_EQ(reason(make("none.wav", kText)), "audio_missing");
  EXPECT_EQ(reason(make("good.wav", "Hi")), "speech_rate");
  EXPECT_EQ(reason(make("good.wav", long_text.c_str())), "speech_rate");
  EXPECT_EQ(reason(make("good.wav", kText, 2, 1)), "cut");
  EXPECT_EQ(reason(make("good.wav", kText, 2, 9)), "cut");
  EXPECT_EQ(reason(make("good.wav", kText, 8)), "cut");
  EXPECT_EQ(reason(make("good.wav", kText, 0.5, 2.5)), "");
}

TEST_F(ClipMaking, one_clipped_channel_of_two_is_clipped) {
  std::vector<float> both;
  for (const float sample : speech(3, 16000)) {
    both.push_back(std::clamp(20 * sample, -1.0F, 1.0F));
    both.push_back(0.2F * sample);
  }
  folder_.write("stereo.wav", test::wav({.channels = 2}, test::samples16(both)));
  const ClipResult all = make("stereo.wav", kText);
  ASSERT_EQ(reason(all), "clipped");
  EXPECT_GT(*all.reject->value, 0.1);
  EXPECT_EQ(reason(make("stereo.wav", kText, 0.5, 2.5)), "clipped");
  for (size_t i = 0; i < both.size(); i += 2) both[i] = both[i + 1];
  folder_.write("stereo.wav", test::wav({.channels = 2}, test::samples16(both)));
  EXPECT_EQ(reason(make("stereo.wav", kText)), "");
}

TEST(ClipRules, another_configuration_of_the_models_is_another_rule) {
  const RecordFolder folder;
  const fs::path model = fs::absolute(fs::path(KANI_SOURCE_DIR) / "models" / "kani-mini");
  const auto copy = [&](const std::string& part, const std::string& name) {
    fs::create_directories(folder / part);
    if (!fs::exists(folder / (part + "/" + name)))
      fs::copy_file(model / part / name, folder / (part + "/" + name));
  };
  for (const char* name : {"config.json", "tokenizer.json"}) copy("lm", name);
  for (const char* name : {"config.json", "model.safetensors"}) copy("speaker", name);
  const auto fingerprint = [&](bool tags) {
    return ClipRules({folder / "lm", model / "codec.nemo", folder / "speaker"},
                     {.language_tags = tags})
        .fingerprint();
  };
  const Json plain = fingerprint(false), tagged = fingerprint(true);
  const auto change = [&](const char* name, std::string_view from, std::string_view to) {
    std::string text = read_file(folder / name, 1 << 20);
    ASSERT_NE(text.find(from), std::string::npos);
    folder.write(name, text.replace(text.find(from), from.size(), to));
  };
  change("lm/config.json", "\"en\"", "\"EN\"");
  EXPECT_EQ(fingerprint(false), plain);
  EXPECT_NE(fingerprint(true), tagged);
  change("speaker/config.json", "{", "{ ");
  EXPECT_NE(fingerprint(false), plain);
}

TEST(BuildPlan, a_plan_of_before_gets_the_keys_that_it_lacks) {
  const RecordFolder folder;
  const std::vector<SourceRecord> records = {{.audio = "a.wav", .text = "one"}};
  const BuildPlan plan(records);
  const WorkFolder work(folder / "work", {});
  const auto settle = [&](const Json& rules) {
    try {
      settle_plan(work, rules, plan);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(settle({{"codec", "c"}}), "");
  EXPECT_EQ(settle({{"codec", "c"}, {"speaker_config", "s"}}), "");
  EXPECT_NE(settle({{"codec", "c"}, {"speaker_config", "t"}}).find("speaker_config"),
            std::string::npos);
  EXPECT_NE(settle({{"codec", "c"}, {"speaker_config", "s"}, {"other", 1}}).find("other"),
            std::string::npos);
}

TEST_F(ClipMaking, hostile_files_are_counted_and_never_crash) {
  sound("good.wav", speech(2, 16000));
  const std::string good = read_file(folder_ / "good.wav", 1 << 20);
  std::vector<std::string> hostile = {"",
                                      "RIFF",
                                      "just text",
                                      std::string(5000, '\xFF'),
                                      "fLaC" + std::string(100, '\0'),
                                      "OggS" + std::string(60, 'x'),
                                      "ID3\x04" + std::string(100, '\x7F')};
  for (size_t cut = 1; cut < 60; ++cut) hostile.push_back(good.substr(0, cut));
  for (size_t at = 0; at < 44; ++at) {
    for (const char value : {'\0', '\x7F', '\xFF'}) {
      hostile.push_back(good);
      hostile.back()[at] = value;
    }
  }
  size_t rejected = 0;
  for (const std::string& bytes : hostile) {
    folder_.write("x.wav", bytes);
    rejected += make("x.wav", kText).reject ? 1U : 0U;
  }
  EXPECT_GE(rejected, 66U);
  fs::remove(folder_ / "x.wav");
  fs::create_directory(folder_ / "x.wav");
  EXPECT_EQ(reason(make("x.wav", kText)), "audio");
}

TEST_F(ClipMaking, units_are_found_again_and_damaged_ones_are_not_believed) {
  sound("a.wav", speech(3, 16000));
  const std::vector<SourceRecord> records = {{.audio = "a.wav", .text = kText, .speaker = "anna"},
                                             {.audio = "none.wav", .text = kText}};
  std::vector<ClipResult> results;
  for (const SourceRecord& record : records)
    results.push_back(maker_.make(record, folder_ / record.audio));
  const auto made = [&](int unit) {
    std::vector<MadeRecord> all;
    for (size_t i = 0; i < records.size(); ++i)
      all.push_back(made_record(records[i], {std::byte(unit), std::byte(i)}, {}, results[i]));
    return all;
  };
  const auto expect = [](WorkFolder& work) {
    work.expect({"one", "two"}, [](size_t, const std::vector<RecordFacts>&) { return true; });
  };
  {
    WorkFolder work(folder_ / "work", {});
    EXPECT_THROW(WorkFolder(folder_ / "work", {}), Error);  // one process a part
    expect(work);
    work.finish(0, made(0), rules().shard_info());
    work.finish(1, made(1), rules().shard_info());
  }
  {  // A line that a kill has cut off, and a file left behind.
    const std::string journal = read_file(folder_ / "work/journal-0-of-1.jsonl", 1 << 16);
    folder_.write("work/journal-0-of-1.jsonl", journal.substr(0, journal.size() - 5));
    folder_.write("work/.unit-00001.kshard.abcdef.tmp", "half");
    WorkFolder work(folder_ / "work", {});
    expect(work);
    EXPECT_TRUE(work.is_finished(0));
    EXPECT_FALSE(work.is_finished(1));
    EXPECT_FALSE(work.all_finished());
    EXPECT_FALSE(fs::exists(folder_ / "work/.unit-00001.kshard.abcdef.tmp"));
    work.finish(1, made(1), rules().shard_info());
  }
  fs::path lines;
  {
    WorkFolder work(folder_ / "work", {});
    expect(work);
    ASSERT_TRUE(work.all_finished());
    const std::vector<RecordFacts> facts = work.facts(1, 2);
    ASSERT_EQ(facts.size(), 2U);
    EXPECT_EQ(facts[0].index, 2U);
    EXPECT_EQ(facts[0].speaker, "anna");
    EXPECT_EQ(facts[0].record, results[0].clip.record);
    EXPECT_EQ(facts[1].reject->reason, RejectReason::kAudioMissing);
    EXPECT_EQ(TokenShard(work.shard_path(1)).clip(0).codes, results[0].clip.codes);
    lines = work.shard_path(0).replace_extension(".jsonl");
  }
  write_file(lines, "{}\n");
  WorkFolder work(folder_ / "work", {});
  expect(work);
  EXPECT_FALSE(work.is_finished(0));
  EXPECT_TRUE(work.is_finished(1));
}

}  // namespace
}  // namespace kani
