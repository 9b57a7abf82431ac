// arrow_clips_test.cc - every kind of bad row is named with its place, and the rows around it are
// read; columns that are missing, doubled or of a wrong type are refused.
#include "kani/dataset/arrow_clips.h"

#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "kani/dataset/arrow_test_files.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

using test::SourceSet;

constexpr int kRows = 5, kBad = 2;

ClipShape rules() { return {.layout = test::tiny_layout(), .voice_dim = 3}; }

class SourceClipsTest : public ::testing::Test {
 protected:
  /// Spoils row 2 of 5 and reads all: the fault of row 2, while the others are fine.
  std::string message_after(RowFault fault, const std::function<void(SourceSet&)>& spoil) {
    SourceSet set(kRows);
    spoil(set);
    test::write_parquet(folder_ / "a.parquet", *test::table_of(set.columns()), /*group_rows=*/2);
    SourceClips clips(folder_ / "a.parquet", ClipColumns(), rules(), /*more=*/false);
    std::string message;
    TrainingClip clip;
    for (int row = 0; row < kRows; ++row) {
      try {
        EXPECT_EQ(clips.next(clip), NextClip::kClip);
        EXPECT_NE(row, kBad) << "accepted";
        EXPECT_EQ(clip.utf8, "row " + std::to_string(row));
      } catch (const BadRow& bad) {
        EXPECT_EQ(row, kBad) << bad.what();
        EXPECT_EQ(bad.fault(), fault) << bad.what();
        message = bad.what();
      }
    }
    EXPECT_EQ(clips.next(clip), NextClip::kEnd);
    EXPECT_NE(message.find("a.parquet: row group 1, row 2, column "), std::string::npos) << message;
    return message.substr(message.rfind(", column ") + 9);
  }

  void expect_file_refused(const test::Columns& columns, const std::string& reason) {
    test::write_parquet(folder_ / "b.parquet", *test::table_of(columns));
    test::write_stream(folder_ / "b.arrow", *test::table_of(columns));
    for (const char* name : {"b.parquet", "b.arrow"}) {
      test::expect_refused(
          [&] { SourceClips(folder_ / name, ClipColumns(), rules(), /*more=*/false); }, name,
          reason);
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(SourceClipsTest, missing_and_broken_texts) {
  EXPECT_EQ(message_after(RowFault::kTextMissing, [](SourceSet& s) { s.text[kBad].reset(); }),
            "text: is null");
  EXPECT_EQ(message_after(RowFault::kTextInvalid, [](SourceSet& s) { s.text[kBad] = "a\xFF"; }),
            "text: is no UTF-8 at byte 1");
  EXPECT_EQ(message_after(RowFault::kTextInvalid,
                          [](SourceSet& s) { s.text[kBad] = std::string(1'048'577, 'a'); }),
            "text: has 1048577 bytes, the limit is 1048576");
}

TEST_F(SourceClipsTest, codes_that_are_no_frames) {
  EXPECT_EQ(message_after(RowFault::kCodesMissing, [](SourceSet& s) { s.layers[1][kBad].reset(); }),
            "nano_layer_2: is null");
  EXPECT_EQ(
      message_after(RowFault::kCodesMissing, [](SourceSet& s) { (*s.layers[3][kBad])[1].reset(); }),
      "nano_layer_4: has a null inside");
  EXPECT_EQ(
      message_after(RowFault::kCodesRagged, [](SourceSet& s) { s.layers[2][kBad]->pop_back(); }),
      "nano_layer_3: has 2 codes, nano_layer_1 has 3");
  EXPECT_EQ(message_after(RowFault::kCodesEmpty,
                          [](SourceSet& s) {
                            for (auto& layer : s.layers) layer[kBad]->clear();
                          }),
            "nano_layer_1: has no codes");
}

TEST_F(SourceClipsTest, codes_out_of_range) {
  const auto with_code = [&](int64_t code) {
    return message_after(RowFault::kCodeOutOfRange,
                         [code](SourceSet& s) { (*s.layers[0][kBad])[2] = code; });
  };
  EXPECT_EQ(with_code(-1), "nano_layer_1: has the code -1, expected 0 to 59");
  EXPECT_EQ(with_code(60), "nano_layer_1: has the code 60, expected 0 to 59");
  EXPECT_EQ(with_code(int64_t{1} << 32), "nano_layer_1: has a code beyond 32 bits");
}

TEST_F(SourceClipsTest, lengths_that_cannot_be) {
  EXPECT_EQ(
      message_after(RowFault::kLengthMissing, [](SourceSet& s) { s.encoded_len[kBad].reset(); }),
      "encoded_len: is null");
  EXPECT_EQ(
      message_after(RowFault::kLengthOutOfRange, [](SourceSet& s) { s.encoded_len[kBad] = -4; }),
      "encoded_len: is -4, expected 0 to 1000000");
}

TEST_F(SourceClipsTest, voices_that_cannot_be_used) {
  EXPECT_EQ(message_after(RowFault::kVoiceMissing, [](SourceSet& s) { s.voice[kBad].reset(); }),
            "speaker_emb: is null");
  EXPECT_EQ(message_after(RowFault::kVoiceSize, [](SourceSet& s) { s.voice[kBad]->pop_back(); }),
            "speaker_emb: has 2 numbers, expected 3");
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(message_after(RowFault::kVoiceNotFinite,
                            [&](SourceSet& s) { (*s.voice[kBad])[0] = value; }),
              "speaker_emb: has a number that is not finite");
  }
}

TEST_F(SourceClipsTest, columns_must_be_there_once_and_of_their_type) {
  const test::Columns good = SourceSet(2).columns();
  test::Columns columns = good;
  columns.erase(columns.begin());
  expect_file_refused(columns, "column text is missing");
  columns = good;
  columns.push_back(good[5]);
  expect_file_refused(columns, "column encoded_len is there 2 times");
  columns = good;
  columns[0].second = good[5].second;
  expect_file_refused(columns, "column text is of type int64, expected text");
  columns = good;
  columns[1].second = good[6].second;
  expect_file_refused(columns, "expected lists of integers");
  columns = good;
  columns[6].second = good[1].second;
  expect_file_refused(columns, "expected lists of floating-point numbers");
  columns = good;
  columns[5].second = *arrow::StructArray::Make({good[5].second}, {"encoded_len"});
  expect_file_refused(columns, "column encoded_len is of type struct");
}

TEST_F(SourceClipsTest, quality_is_a_struct_of_numbers_or_json_as_text) {
  const double infinite = std::numeric_limits<double>::infinity();
  const auto read = [&](const test::ArrayPtr& quality) {
    test::Columns columns = SourceSet(3).columns();
    columns.emplace_back("quality", quality);
    test::write_parquet(folder_ / "q.parquet", *test::table_of(columns));
    SourceClips clips(folder_ / "q.parquet", ClipColumns(), rules(), /*more=*/true);
    std::vector<std::string> notes;
    TrainingClip clip;
    for (int row = 0; row < 3; ++row) {
      try {
        clips.next(clip);
        notes.push_back(clip.notes);
      } catch (const BadRow& bad) {
        EXPECT_EQ(bad.fault(), RowFault::kExtra) << bad.what();
        notes.emplace_back("refused");
      }
    }
    return notes;
  };
  const auto measures = *arrow::StructArray::Make(
      {test::cells<arrow::Int16Builder>(test::Cells<int64_t>{8000, std::nullopt, 1}),
       test::cells<arrow::DoubleBuilder>(test::Cells<double>{-0.5, 2.0, infinite})},
      std::vector<std::string>{"rate_hz", "gain_db"});
  EXPECT_EQ(read(measures),
            (std::vector<std::string>{R"({"quality":{"rate_hz":8000,"gain_db":-0.5}})",
                                      R"({"quality":{"gain_db":2.0}})", "refused"}));
  // As our own sets had it before; what is no JSON is refused.
  EXPECT_EQ(read(test::texts({R"({"snr_db":31})", std::nullopt, "{"})),
            (std::vector<std::string>{R"({"quality":{"snr_db":31}})", "", "refused"}));
  test::Columns columns = SourceSet(1).columns();
  columns.emplace_back("quality", *arrow::StructArray::Make({test::texts({"good"})}, {"verdict"}));
  test::write_parquet(folder_ / "q.parquet", *test::table_of(columns));
  test::expect_refused(
      [&] { SourceClips(folder_ / "q.parquet", ClipColumns(), rules(), /*more=*/true); },
      "q.parquet", "expected a struct of numbers or text");
}

TEST_F(SourceClipsTest, extension_types_are_refused) {
  const auto table = test::table_of(SourceSet(2).columns());
  const auto marked = table->schema()->field(0)->WithMetadata(
      arrow::key_value_metadata({{"ARROW:extension:name", "arrow.py_extension_type"}}));
  const auto schema = *table->schema()->SetField(0, marked);
  const auto with_mark = arrow::Table::Make(schema, table->columns());
  test::write_stream(folder_ / "e.arrow", *with_mark);
  test::expect_refused(
      [&] { SourceClips(folder_ / "e.arrow", ClipColumns(), rules(), /*more=*/false); }, "e.arrow",
      "column text has an extension type");
}

TEST_F(SourceClipsTest, other_widths_and_large_lists_are_read) {
  test::Columns columns = SourceSet(2).columns();
  columns[1].second = test::lists<arrow::UInt16Builder>(SourceSet(2).layers[0]);
  columns[2].second = test::lists<arrow::Int8Builder>(SourceSet(2).layers[1]);
  columns[5].second = test::cells<arrow::Int32Builder>(SourceSet(2).encoded_len);
  columns[6].second = test::lists<arrow::DoubleBuilder>(SourceSet(2).voice);
  test::write_stream(folder_ / "w.arrow", *test::table_of(columns));
  SourceClips clips(folder_ / "w.arrow", ClipColumns(), rules(), /*more=*/false);
  TrainingClip clip;
  ASSERT_EQ(clips.next(clip), NextClip::kClip);
  ASSERT_EQ(clips.next(clip), NextClip::kClip);
  EXPECT_EQ(clip.codes, (std::vector<int32_t>{1, 1, 1, 1, 1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(clip.voice, (std::vector<float>{0.5F, 0.25F, -0.5F}));
  EXPECT_EQ(clip.encoded_len, 3);
  EXPECT_EQ(clip.duration_s, 0.24);
}

TEST_F(SourceClipsTest, what_is_too_long_is_passed_over_before_its_codes_are_looked_at) {
  SourceSet set(2);
  set.encoded_len[0] = 100;
  set.layers[0][0].reset();
  test::write_parquet(folder_ / "l.parquet", *test::table_of(set.columns()));
  ClipShape limited = rules();
  limited.max_duration_s = 7.9;
  SourceClips clips(folder_ / "l.parquet", ClipColumns(), limited, /*more=*/false);
  TrainingClip clip;
  EXPECT_EQ(clips.next(clip), NextClip::kTooLong);
  EXPECT_EQ(clips.next(clip), NextClip::kClip);
  EXPECT_EQ(clips.next(clip), NextClip::kEnd);
}

TEST_F(SourceClipsTest, what_is_neither_parquet_nor_a_stream_is_refused) {
  for (const auto& [bytes, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "is neither Parquet nor an Arrow stream"},
           {"text", "is neither Parquet nor an Arrow stream"},
           {"ARROW1", "is an Arrow file with random access"},
           {std::string("ARROW1\0\0xxxxxxxx", 16), "is an Arrow file with random access"},
           {"PAR1PAR1", "x.bin: "},
           {std::string("PAR1\xFF\xFF\xFF\x7FPAR1", 12), "x.bin: "},
           {"\xFF\xFF\xFF\xFF", "has no end mark"}}) {
    write_file(folder_ / "x.bin", bytes);
    test::expect_refused(
        [&] { SourceClips(folder_ / "x.bin", ClipColumns(), rules(), /*more=*/false); }, "x.bin",
        reason);
  }
}

}  // namespace
}  // namespace kani
