// arrow_prepare_test.cc - the sets that upstream made of the reference sources, row by row; what
// happens to bad rows in both ways of working; the command.
#include "kani/dataset/arrow_prepare.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/dataset/arrow_cells.h"
#include "kani/dataset/arrow_commands.h"
#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/convert.h"
#include "kani/dataset/set_files.h"
#include "kani/formats/test_expect.h"
#include "kani/tokens/sequence.h"

namespace kani {
namespace {

const std::filesystem::path kData = std::filesystem::path(KANI_TEST_DATA) / "training";
const std::string kArrowName = "data-00000-of-00001.arrow";

Json document(const std::filesystem::path& path) {
  return parse_json(read_file(path, 1 << 20), "the test");
}

/// All rows of a processed set, read with Arrow alone.
std::shared_ptr<arrow::RecordBatch> whole_set(const std::filesystem::path& folder) {
  const auto file = *arrow::io::ReadableFile::Open((folder / kArrowName).string());
  const auto table = (*arrow::ipc::RecordBatchStreamReader::Open(file))->ToTable();
  return *(*table)->CombineChunksToBatch();
}

std::vector<int32_t> integers(const arrow::RecordBatch& set, const char* column, int64_t row) {
  std::vector<int32_t> out;
  EXPECT_EQ(integer_list_cell(*set.GetColumnByName(column), row, out), ListCell::kFine);
  return out;
}

std::vector<float> voice(const arrow::RecordBatch& set, int64_t row) {
  std::vector<float> out;
  EXPECT_EQ(number_list_cell(*set.GetColumnByName("speaker_emb"), row, out), ListCell::kFine);
  return out;
}

struct Reference {
  const char* folder;
  int64_t rows;
  PrepareOptions options;
};

Reference reference(const std::string& name, const std::filesystem::path& out) {
  Lfm2Config config;
  config.vocab_size = 80'538;
  PrepareOptions options;
  options.config = kData / name / "dataset_config.yaml";
  options.sources = kData / name / "source";
  options.tokenizer = kData / "tokenizer";
  options.out = out;
  options.layout = name == "tiny" ? test::tiny_layout() : TokenLayout::of(config);
  options.voice_dim = name == "tiny" ? 16 : 128;
  options.parity = true;
  return {name == "tiny" ? "tiny" : "full", name == "tiny" ? 38 : 33, options};
}

class ReferenceSet : public ::testing::TestWithParam<const char*> {
 protected:
  ReferenceSet() : reference_(reference(GetParam(), folder_ / "out")) {
    report_ = prepare_set(reference_.options);
  }
  std::filesystem::path golden() const { return kData / reference_.folder / "processed"; }
  const std::filesystem::path& out() const { return reference_.options.out; }

  test::TemporaryFolder folder_;
  Reference reference_;
  PrepareReport report_;
};

TEST_P(ReferenceSet, every_row_is_upstreams) {
  const auto ours = whole_set(out()), theirs = whole_set(golden());
  ASSERT_EQ(theirs->num_rows(), reference_.rows);
  ASSERT_EQ(ours->num_rows(), theirs->num_rows());
  for (int64_t row = 0; row < theirs->num_rows(); ++row) {
    for (const char* column : {"input_ids", "labels", "attention_mask"})
      EXPECT_EQ(integers(*ours, column, row), integers(*theirs, column, row)) << column << row;
    EXPECT_EQ(voice(*ours, row), voice(*theirs, row)) << row;
    EXPECT_EQ(integer_cell(*ours->GetColumnByName("encoded_len"), row),
              integer_cell(*theirs->GetColumnByName("encoded_len"), row));
  }
}

TEST_P(ReferenceSet, types_and_features_are_upstreams) {
  const auto ours = whole_set(out()), theirs = whole_set(golden());
  EXPECT_TRUE(ours->schema()->Equals(*theirs->schema(), /*check_metadata=*/false))
      << ours->schema()->ToString() << theirs->schema()->ToString();
  EXPECT_EQ(document(out() / "dataset_info.json"), document(golden() / "dataset_info.json"));
  Json state = document(out() / "state.json"), expected = document(golden() / "state.json");
  state["_data_files"][0].erase("sha256");  // of ours
  state.erase("_fingerprint");              // any will do
  expected.erase("_fingerprint");
  EXPECT_EQ(state, expected);
}

TEST_P(ReferenceSet, statistics_are_upstreams) {
  const Json ours = document(out() / "audio_length_statistics.json").flatten();
  const Json theirs = document(golden() / "audio_length_statistics.json").flatten();
  ASSERT_EQ(ours.size(), theirs.size());
  for (const auto& [key, value] : theirs.items()) {
    const double expected = value.get<double>();
    EXPECT_NEAR(ours[key].get<double>(), expected, 1e-9 * std::abs(expected)) << key;
  }
}

TEST_P(ReferenceSet, shards_hold_the_same_clips) {
  const auto theirs = whole_set(golden());
  ShardClips shard(out() / "clips-00000.kshard");
  TrainingClip clip;
  for (int64_t row = 0; row < theirs->num_rows(); ++row) {
    ASSERT_EQ(shard.next(clip), NextClip::kClip);
    EXPECT_EQ(make_sequence(reference_.options.layout, clip.text, clip.codes),
              integers(*theirs, "input_ids", row));
    EXPECT_EQ(clip.voice, voice(*theirs, row));
    EXPECT_EQ(clip.encoded_len, integer_cell(*theirs->GetColumnByName("encoded_len"), row));
    EXPECT_EQ(clip.duration_s, static_cast<double>(clip.encoded_len) / 12.5);
  }
  EXPECT_EQ(shard.next(clip), NextClip::kEnd);
}

TEST_P(ReferenceSet, the_same_again_gives_the_same_bytes) {
  PrepareOptions again = reference_.options;
  again.out = folder_ / "again";
  prepare_set(again);
  for (const auto& entry : std::filesystem::directory_iterator(out())) {
    EXPECT_EQ(read_file(entry.path(), 1 << 24),
              read_file(again.out / entry.path().filename(), 1 << 24))
        << entry.path();
  }
}

INSTANTIATE_TEST_SUITE_P(Prepare, ReferenceSet, ::testing::Values("full", "tiny"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(Prepare, without_parity_repeated_frames_stay_and_empty_texts_do_not) {
  const test::TemporaryFolder folder;
  Reference full = reference("full", folder / "out");
  full.options.parity = false;
  const PrepareReport report = prepare_set(full.options);
  EXPECT_EQ(report.kept(), 31u);
  uint64_t empty = 0;
  for (const SourceReport& source : report.sources) {
    EXPECT_EQ(source.frames_dropped, 0u);
    const auto& reasons = source.faults.reasons;
    if (reasons.contains(RowFault::kTextMissing)) empty += reasons.at(RowFault::kTextMissing).rows;
  }
  EXPECT_EQ(empty, 2u);
  const auto set = whole_set(full.options.out);
  ASSERT_EQ(set->num_rows(), 31);
  const std::set<int64_t> shorter{5, 19, 23};  // a layer of theirs ends a frame before the others
  for (int64_t row = 0; row < 31; ++row) {
    const SequenceParts parts =
        parse_sequence(full.options.layout, integers(*set, "input_ids", row));
    EXPECT_EQ(static_cast<int64_t>(parts.codes.size() / 4) + (shorter.contains(row) ? 1 : 0),
              *integer_cell(*set->GetColumnByName("encoded_len"), row))
        << row;
  }
}

class SmallSource : public ::testing::Test {
 protected:
  SmallSource() {
    options_.config = folder_ / "dataset_config.yaml";
    options_.sources = folder_.path();
    options_.tokenizer = kData / "tokenizer";
    options_.out = folder_ / "out";
    options_.layout = test::tiny_layout();
    options_.voice_dim = 3;
    std::filesystem::create_directories(folder_ / "set");
    configure("");
  }

  void configure(const std::string& more) {
    write_file(options_.config,
               "max_duration_sec: 8\nhf_datasets:\n  - reponame: set\n    name: null\n"
               "    split: train\n    text_col_name: text\n    nano_layer_1: nano_layer_1\n"
               "    nano_layer_2: nano_layer_2\n    nano_layer_3: nano_layer_3\n"
               "    nano_layer_4: nano_layer_4\n    encoded_len: encoded_len\n"
               "    speaker_emb: speaker_emb\n" +
                   more);
  }
  void put(const test::SourceSet& set) {
    test::write_parquet(folder_ / "set" / "train.parquet", *test::table_of(set.columns()));
  }

  test::TemporaryFolder folder_;
  PrepareOptions options_;
};

TEST_F(SmallSource, bad_rows_are_dropped_and_counted_by_reason) {
  test::SourceSet set(10);
  set.text[1].reset();
  set.layers[2][3]->pop_back();
  set.layers[0][4]->at(0) = 60;
  set.layers[0][5]->at(0) = -1;
  for (auto& layer : set.layers) layer[7] = test::SourceSet::Codes(101, 5);
  set.encoded_len[7] = 101;
  put(set);
  const PrepareReport report = prepare_set(options_);
  const SourceReport& source = report.sources.at(0);
  EXPECT_EQ(source.rows, 10u);
  EXPECT_EQ(source.kept, 5u);
  EXPECT_EQ(source.too_long, 1u);
  EXPECT_EQ(source.faults.rows(), 4u);
  EXPECT_EQ(source.faults.reasons.at(RowFault::kTextMissing).rows, 1u);
  EXPECT_EQ(source.faults.reasons.at(RowFault::kCodesRagged).rows, 1u);
  EXPECT_EQ(source.faults.reasons.at(RowFault::kCodeOutOfRange).rows, 2u);
  EXPECT_NE(report.text().find("code_out_of_range: 2, the first: "), std::string::npos);
  const Json json = document(options_.out / "prepare_report.json");
  EXPECT_EQ(json["sources"][0]["bad"]["codes_ragged"]["rows"], 1);
  EXPECT_EQ(whole_set(options_.out)->num_rows(), 5);
  const std::string rejects = read_file(options_.out / "rejects.jsonl", 1 << 20);
  EXPECT_EQ(std::count(rejects.begin(), rejects.end(), '\n'), 5);
  EXPECT_EQ(rejects.find(folder_.path().string()), std::string::npos);
  EXPECT_EQ(verify_set(options_.out), 6u);
}

TEST_F(SmallSource, what_upstream_does_not_look_at_is_looked_at_by_default) {
  test::SourceSet set(10);
  set.text[1] = "a bell \x07 rings";
  set.text[2] = " \n";
  set.text[3] = std::string(1001, 'a');
  set.voice[4] = test::SourceSet::Voice{0.0F, 0.0F, 0.0F};
  set.voice[5] = test::SourceSet::Voice{3.0F, 0.0F, 0.0F};
  set.encoded_len[6] = 99;
  for (auto& layer : set.layers) layer[7] = test::SourceSet::Codes(101, 5);
  set.encoded_len[7] = 99;  // 8 s by its word, but not by its frames
  put(set);
  const PrepareReport report = prepare_set(options_);
  const SourceReport& source = report.sources.at(0);
  EXPECT_EQ(source.kept, 3u);
  EXPECT_EQ(source.too_long, 1u);
  const auto& reasons = source.faults.reasons;
  EXPECT_EQ(reasons.at(RowFault::kTextControl).rows, 1u);
  EXPECT_EQ(reasons.at(RowFault::kTextMissing).rows, 1u);
  EXPECT_EQ(reasons.at(RowFault::kTextLength).rows, 1u);
  EXPECT_EQ(reasons.at(RowFault::kVoiceLength).rows, 2u);
  EXPECT_EQ(reasons.at(RowFault::kLengthWrong).rows, 1u);
  options_.parity = true;
  options_.out = folder_ / "parity";
  EXPECT_EQ(prepare_set(options_).kept(), 10u);
  EXPECT_FALSE(std::filesystem::exists(options_.out / "rejects.jsonl"));
}

TEST_F(SmallSource, a_subset_is_read_often_and_its_bad_rows_are_told_once) {
  test::SourceSet set(10);
  set.text[1] = "";
  put(set);
  configure("    max_len: 3\n");
  prepare_set(options_);
  const std::string rejects = read_file(options_.out / "rejects.jsonl", 1 << 20);
  EXPECT_EQ(std::count(rejects.begin(), rejects.end(), '\n'), 1);
}

TEST_F(SmallSource, sets_without_voices_are_prepared_with_a_voice_of_size_0) {
  test::SourceSet set(3);
  for (auto& voice : set.voice) voice.reset();
  put(set);
  test::expect_refused([&] { prepare_set(options_); }, "dataset_config.yaml", "no row of any");
  options_.voice_dim = 0;
  EXPECT_EQ(prepare_set(options_).kept(), 3u);
}

TEST_F(SmallSource, in_parity_the_first_bad_row_is_the_error) {
  test::SourceSet set(10);
  for (auto& layer : set.layers) layer[6]->clear();
  put(set);
  options_.parity = true;
  test::expect_refused([&] { prepare_set(options_); }, "train.parquet",
                       "row group 0, row 6, column nano_layer_1: has no codes");
  EXPECT_FALSE(std::filesystem::exists(options_.out / "state.json"));
  EXPECT_TRUE(std::filesystem::is_empty(options_.out));
}

TEST_F(SmallSource, a_subset_larger_than_the_source_is_an_error_in_parity_only) {
  put(test::SourceSet(4));
  configure("    max_len: 9\n");
  const PrepareReport report = prepare_set(options_);
  EXPECT_EQ(report.kept(), 4u);
  ASSERT_EQ(report.warnings.size(), 1u);
  options_.parity = true;
  options_.out = folder_ / "parity";
  test::expect_refused([&] { prepare_set(options_); }, "dataset_config.yaml",
                       "max_len is 9, only 4 rows are left");
}

TEST_F(SmallSource, a_rename_onto_another_column_is_an_error_in_parity_only) {
  test::Columns columns = test::SourceSet(3).columns();
  columns.emplace_back("speech", columns[0].second);
  test::write_parquet(folder_ / "set" / "train.parquet", *test::table_of(columns));
  std::string config = read_file(options_.config, 1 << 20);
  config.replace(config.find("text_col_name: text"), 19, "text_col_name: speech");
  write_file(options_.config, config);
  EXPECT_EQ(prepare_set(options_).kept(), 3u);
  options_.parity = true;
  options_.out = folder_ / "parity";
  test::expect_refused([&] { prepare_set(options_); }, "train.parquet",
                       "column speech cannot be renamed");
}

TEST_F(SmallSource, names_of_tokens_in_a_text_are_plain_text_by_default) {
  test::SourceSet set(2);
  put(set);
  configure("    language_tag: EN\n");
  prepare_set(options_);
  ShardClips shard(options_.out / "clips-00000.kshard");
  TrainingClip clip;
  ASSERT_EQ(shard.next(clip), NextClip::kClip);
  EXPECT_EQ(clip.language, "en");
  EXPECT_EQ(clip.source, "set");
  EXPECT_EQ(clip.utf8, "row 0");
  EXPECT_EQ(shard.info().tokenizer.size(), 64u);
}

TEST_F(SmallSource, nothing_left_is_an_error) {
  test::SourceSet set(2);
  for (auto& length : set.encoded_len) length = 200;
  put(set);
  test::expect_refused([&] { prepare_set(options_); }, "dataset_config.yaml", "no row of any");
}

TEST_F(SmallSource, a_folder_in_use_is_left_alone) {
  put(test::SourceSet(2));
  std::filesystem::create_directories(options_.out);
  write_file(options_.out / "mine.txt", "mine");
  EXPECT_THROW(prepare_set(options_), Error);
  EXPECT_EQ(read_file(options_.out / "mine.txt", 100), "mine");
}

TEST_F(SmallSource, saved_sets_are_sources_too) {
  test::write_stream(folder_ / "set" / "d.arrow", *test::table_of(test::SourceSet(6).columns()));
  write_file(folder_ / "set" / "state.json", R"({"_data_files": [{"filename": "d.arrow"}]})");
  EXPECT_EQ(prepare_set(options_).kept(), 6u);
}

TEST_F(SmallSource, the_command_prepares_and_reports) {
  put(test::SourceSet(6));
  std::ostringstream out, err;
  const std::vector<std::string> args = {"--config",
                                         options_.config.string(),
                                         "--tokenizer",
                                         options_.tokenizer.string(),
                                         "--out=" + options_.out.string(),
                                         "--audio-start",
                                         "410",
                                         "--codebook-size",
                                         "60",
                                         "--voice-size",
                                         "3",
                                         "--format",
                                         "processed"};
  EXPECT_EQ(run_prepare(args, out, err), 0) << err.str();
  EXPECT_NE(out.str().find("set: 6 of 6 rows kept"), std::string::npos) << out.str();
  EXPECT_TRUE(std::filesystem::exists(options_.out / "state.json"));
  EXPECT_FALSE(std::filesystem::exists(options_.out / "clips-00000.kshard"));
  EXPECT_EQ(err.str(), "");
}

TEST_F(SmallSource, the_command_says_what_is_wrong_in_one_line) {
  const auto message = [](const std::vector<std::string>& args) {
    std::ostringstream out, err;
    EXPECT_EQ(run_prepare(args, out, err), exit_status(ErrorCode::kInvalidArgument));
    return err.str();
  };
  const std::string usage = "\nhint: kani-data COMMAND --help lists the flags\n";
  EXPECT_EQ(message({}), "kani-data: error: --config is missing" + usage);
  EXPECT_EQ(message({"--config"}), "kani-data: error: --config needs a value" + usage);
  const std::vector<std::string> good = {"--config", "c", "--tokenizer", "t", "--out", "o"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args = good;
    args.insert(args.end(), more.begin(), more.end());
    return message(args);
  };
  EXPECT_EQ(with({"--tokenizr", "x"}), "kani-data: error: --tokenizr is not known" + usage);
  EXPECT_EQ(with({"--voice-size", "-1"}),
            "kani-data: error: --voice-size is \"-1\", must be a number from 0 "
            "to 4096" +
                usage);
  EXPECT_EQ(with({"--format", "csv"}),
            "kani-data: error: --format is \"csv\", "
            "must be processed, shards or both" +
                usage);
  EXPECT_EQ(with({"file"}), "kani-data: error: 1 names of files given, expected 0" + usage);
}

}  // namespace
}  // namespace kani
