// arrow_convert_test.cc - clips through every form and back: what a form can hold comes back as it
// was, and the same clips give the same bytes.
#include "kani/dataset/arrow_convert.h"

#include <arrow/io/file.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include <functional>
#include <sstream>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/dataset/arrow_clips.h"
#include "kani/dataset/arrow_commands.h"
#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/arrow_write.h"
#include "kani/dataset/convert.h"
#include "kani/formats/test_expect.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

const std::filesystem::path kTokenizer =
    std::filesystem::path(KANI_TEST_DATA) / "training" / "tokenizer";

TrainingClip example(int number) {
  static const Tokenizer tokenizer = Tokenizer::load(kTokenizer);
  TrainingClip clip;
  clip.utf8 = "héllo " + std::to_string(number);
  clip.language = number % 3 == 0 ? "" : "en";
  const std::string tag = clip.language.empty() ? "" : "en: ";
  clip.text = tokenizer.encode(tag + clip.utf8, AddedTokens::kPlainText);
  for (int i = 0; i < 4 * (1 + number % 5); ++i) clip.codes.push_back((i * 7 + number) % 60);
  if (number % 4 != 1) clip.voice = {0.25F, static_cast<float>(number % 2), -0.5F};
  clip.speaker = number % 2 == 0 ? "anna" : "";
  clip.source = "set";
  clip.encoded_len = 1 + number % 5;
  clip.duration_s = 0.08 * static_cast<double>(clip.encoded_len) + 0.001;
  clip.record[31] = static_cast<std::byte>(number);
  clip.notes =
      number % 2 == 0 ? R"({"text_raw":"Héllo","quality":{"rate_hz":16000,"gain_db":31.5}})" : "";
  return clip;
}

std::vector<TrainingClip> all(ClipReader& reader) {
  std::vector<TrainingClip> out;
  TrainingClip clip;
  while (reader.next(clip) == NextClip::kClip) out.push_back(clip);
  return out;
}

class Convert : public ::testing::Test {
 protected:
  Convert() {
    ShardFolderWriter writer(folder_ / "shards",
                             ShardInfo{.codebook_size = 60, .voice_dim = 3, .tokenizer = "t"},
                             {.clips = 5});
    std::filesystem::create_directories(folder_ / "shards");
    for (int i = 0; i < kClips; ++i) writer.add(example(i));
    writer.finish();
  }

  ConvertReport convert(const std::string& from, const std::string& to, SetForm form,
                        bool with_tokenizer = false) {
    ConvertOptions options;
    options.input = folder_ / from;
    options.output = folder_ / to;
    options.form = form;
    options.layout = test::tiny_layout();
    options.voice_dim = 3;
    if (with_tokenizer) options.tokenizer = kTokenizer;
    return convert_set(options);
  }

  std::vector<TrainingClip> clips_of(const std::string& name) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / name))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<TrainingClip> out;
    const ClipShape rules{.layout = test::tiny_layout(), .voice_dim = 3, .voice_required = false};
    for (const auto& file : files) {
      std::vector<TrainingClip> part;
      if (file.extension() == ".kshard") {
        ShardClips reader(file);
        part = all(reader);
      } else if (file.extension() == ".parquet") {
        SourceClips reader(file, ClipColumns(), rules, /*more=*/true);
        part = all(reader);
      } else if (file.extension() == ".arrow") {
        SequenceClips reader(file, rules);
        part = all(reader);
      }
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }

  static constexpr int kClips = 13;
  test::TemporaryFolder folder_;
};

TEST_F(Convert, through_parquet_and_back_nothing_is_lost) {
  const ConvertReport there = convert("shards", "parquet", SetForm::kParquet);
  EXPECT_EQ(there.clips, 13u);
  EXPECT_EQ(there.lost.size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "parquet" / "train-00002-of-00003.parquet"));
  convert("parquet", "back", SetForm::kShards, /*with_tokenizer=*/true);
  const std::vector<TrainingClip> clips = clips_of("back");
  ASSERT_EQ(clips.size(), 13u);
  for (int i = 0; i < kClips; ++i) {
    const TrainingClip expected = example(i), &clip = clips[static_cast<size_t>(i)];
    EXPECT_EQ(clip.text, expected.text) << i;
    EXPECT_EQ(clip.codes, expected.codes);
    EXPECT_EQ(clip.voice, expected.voice);
    EXPECT_EQ(clip.language, expected.language);
    EXPECT_EQ(clip.speaker, expected.speaker);
    EXPECT_EQ(clip.source, expected.source);
    EXPECT_EQ(clip.encoded_len, expected.encoded_len);
    EXPECT_EQ(clip.duration_s, expected.duration_s);
    EXPECT_EQ(clip.record, expected.record);
    EXPECT_EQ(clip.utf8, expected.utf8);
    EXPECT_EQ(clip.notes, expected.notes);
  }
}

TEST_F(Convert, through_a_processed_set_and_back_the_sequences_are_the_same) {
  convert("shards", "processed", SetForm::kProcessed);
  convert("processed", "back", SetForm::kShards);
  const std::vector<TrainingClip> clips = clips_of("back");
  ASSERT_EQ(clips.size(), 13u);
  for (int i = 0; i < kClips; ++i) {
    const TrainingClip expected = example(i), &clip = clips[static_cast<size_t>(i)];
    EXPECT_EQ(clip.text, expected.text);
    EXPECT_EQ(clip.codes, expected.codes);
    EXPECT_EQ(clip.voice, expected.voice);
    EXPECT_EQ(clip.encoded_len, expected.encoded_len);
    EXPECT_EQ(clip.utf8, "");
  }
}

TEST_F(Convert, upstreams_processed_set_becomes_shards_and_itself_again) {
  const auto source = std::filesystem::path(KANI_TEST_DATA) / "training" / "tiny" / "processed";
  ConvertOptions options;
  options.input = source;
  options.output = folder_ / "tiny";
  options.layout = test::tiny_layout();
  options.voice_dim = 16;
  EXPECT_EQ(convert_set(options).clips, 38u);
  options.input = folder_ / "tiny";
  options.output = folder_ / "again";
  options.form = SetForm::kProcessed;
  EXPECT_EQ(convert_set(options).clips, 38u);
  const ClipShape rules{.layout = *options.layout, .voice_dim = 16};
  SequenceClips before(source / "data-00000-of-00001.arrow", rules);
  SequenceClips after(folder_ / "again" / "data-00000-of-00001.arrow", rules);
  const auto a = all(before), b = all(after);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].text, b[i].text);
    EXPECT_EQ(a[i].codes, b[i].codes);
    EXPECT_EQ(a[i].voice, b[i].voice);
    EXPECT_EQ(a[i].encoded_len, b[i].encoded_len);
  }
}

TEST_F(Convert, text_is_made_of_ids_where_parquet_needs_it) {
  convert("shards", "processed", SetForm::kProcessed);
  EXPECT_THROW(convert("processed", "no", SetForm::kParquet), Error);
  convert("processed", "parquet", SetForm::kParquet, /*with_tokenizer=*/true);
  const std::vector<TrainingClip> clips = clips_of("parquet");
  ASSERT_EQ(clips.size(), 13u);
  EXPECT_EQ(clips[0].utf8, "héllo 0");
  EXPECT_EQ(clips[1].utf8, "en: héllo 1");
}

TEST_F(Convert, ids_need_a_tokenizer) {
  convert("shards", "parquet", SetForm::kParquet);
  try {
    convert("parquet", "back", SetForm::kShards);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.hint(), "--tokenizer FOLDER");
  }
}

TEST_F(Convert, the_same_clips_give_the_same_bytes) {
  for (const auto& [form, file] : std::vector<std::pair<SetForm, std::string>>{
           {SetForm::kParquet, "train-00001-of-00003.parquet"},
           {SetForm::kProcessed, "data-00000-of-00001.arrow"},
           {SetForm::kShards, "clips-00000.kshard"}}) {
    convert("shards", "a" + file, form);
    convert("shards", "b" + file, form);
    EXPECT_EQ(read_file(folder_ / ("a" + file) / file, 1 << 24),
              read_file(folder_ / ("b" + file) / file, 1 << 24));
  }
}

TEST_F(Convert, shards_of_another_model_are_refused) {
  ConvertOptions options;
  options.input = folder_ / "shards";
  options.output = folder_ / "out";
  options.layout = test::tiny_layout();
  options.voice_dim = 4;
  test::expect_refused([&] { convert_set(options); }, "clips-00000.kshard",
                       "numbers in a voice: 3, expected 4");
}

TEST_F(Convert, bad_rows_stop_or_are_skipped) {
  test::SourceSet set(6);
  set.layers[3][2]->push_back(1);
  std::filesystem::create_directories(folder_ / "set");
  test::write_parquet(folder_ / "set" / "train.parquet", *test::table_of(set.columns()));
  ConvertOptions options;
  options.input = folder_ / "set";
  options.output = folder_ / "out";
  options.form = SetForm::kParquet;
  options.layout = test::tiny_layout();
  options.voice_dim = 3;
  test::expect_refused([&] { convert_set(options); }, "train.parquet",
                       "row 2, column nano_layer_4");
  EXPECT_TRUE(std::filesystem::is_empty(options.output));
  options.bad_rows = BadRows::kDrop;
  const ConvertReport report = convert_set(options);
  EXPECT_EQ(report.clips, 5u);
  EXPECT_EQ(report.faults.reasons.at(RowFault::kCodesRagged).rows, 1u);
}

TEST_F(Convert, parquet_has_the_layout_that_others_expect) {
  const auto path = folder_ / "p.parquet";
  ParquetWriter writer(path, ShardInfo{}, /*rows_per_group=*/4);
  for (int i = 0; i < 10; ++i) writer.add(example(i));
  writer.finish();
  const auto file = parquet::ParquetFileReader::OpenFile(path.string());
  const auto metadata = file->metadata();
  ASSERT_EQ(metadata->num_row_groups(), 3);
  EXPECT_EQ(metadata->RowGroup(0)->num_rows(), 4);
  EXPECT_EQ(metadata->RowGroup(2)->num_rows(), 2);
  EXPECT_EQ(metadata->RowGroup(0)->ColumnChunk(2)->compression(), parquet::Compression::ZSTD);
  const Json info = parse_json(*metadata->key_value_metadata()->Get("huggingface"), "the test");
  const Json& features = info["info"]["features"];
  EXPECT_EQ(features["nano_layer_4"],
            parse_json(R"({"feature":{"dtype":"int32","_type":"Value"},"_type":"Sequence"})",
                       "the test"));
  EXPECT_EQ(features["speaker_emb"]["feature"]["dtype"], "float32");
  EXPECT_EQ(features["duration"]["dtype"], "float64");
  EXPECT_EQ(features["encoded_len"]["dtype"], "int64");
  EXPECT_EQ(features["quality"]["rate_hz"],
            parse_json(R"({"dtype":"int64","_type":"Value"})", "the test"));
  EXPECT_EQ(features["quality"]["dc"]["dtype"], "float64");
  EXPECT_EQ(features["quality"].size(), 13U);
  const std::vector<std::string> expected = {
      "text",         "text_raw",    "nano_layer_1", "nano_layer_2", "nano_layer_3",
      "nano_layer_4", "encoded_len", "speaker_emb",  "language",     "speaker",
      "source",       "duration",    "sha256",       "quality"};
  EXPECT_EQ(column_names(path), expected);
}

TEST_F(Convert, an_unfinished_file_does_not_appear) {
  {
    ParquetWriter writer(folder_ / "p.parquet", ShardInfo{});
    writer.add(example(1));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "p.parquet"));
}

TEST_F(Convert, the_command_converts_and_says_what_is_lost) {
  std::ostringstream out, err;
  const std::vector<std::string> args = {
      (folder_ / "shards").string(), (folder_ / "p").string(), "--to",          "parquet",
      "--audio-start=410",           "--codebook-size=60",     "--voice-size=3"};
  EXPECT_EQ(run_convert(args, out, err), 0) << err.str();
  EXPECT_EQ(out.str(),
            "13 clips\nnot in this form: text ids\n"
            "not in this form: notes other than text_raw and the measures of quality\n");
  EXPECT_EQ(run_convert(args, out, err), exit_status(ErrorCode::kInvalidArgument));
  EXPECT_NE(err.str().find("exists and is not empty\nhint: "), std::string::npos) << err.str();
}

}  // namespace
}  // namespace kani
