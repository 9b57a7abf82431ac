// Data sets with sounds in their rows as recordings: what is read, what is not, files that lie.
#include <arrow/array/builder_binary.h>
#include <arrow/util/key_value_metadata.h>

#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/recording_rows.h"
#include "kani/dataset/test_build.h"
#include "kani/dataset/test_sounds.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::ArrayPtr;
using test::Cells;
using test::texts;

ArrayPtr bytes_of(const Cells<std::string>& values) {
  arrow::BinaryBuilder builder;
  for (const auto& value : values) (void)(value ? builder.Append(*value) : builder.AppendNull());
  return *builder.Finish();
}

/// As `datasets` has it: {bytes, path}.
ArrayPtr audio_of(const Cells<std::string>& sounds) {
  const Cells<std::string> paths(sounds.size(), "../../secret\xFF.wav");  // never looked at
  return *arrow::StructArray::Make({bytes_of(sounds), texts(paths)},
                                   std::vector<std::string>{"bytes", "path"});
}

class RecordingSets : public test::InnerRecordings {
 protected:
  /// Rows [first, last): number n says "Number n is said."
  test::Columns rows(size_t first, size_t last) {
    Cells<std::string> sounds, said;
    Cells<int64_t> speakers;
    const std::string endings[] = {".wav", ".flac", ".mp3", ".ogg"};
    for (size_t i = first; i < last; ++i) {
      sounds.emplace_back(sound(i, endings[i % 4]));
      said.emplace_back(concat("Number ", i, " is said."));
      speakers.emplace_back(static_cast<int64_t>(i % 5));
    }
    return {{"audio", audio_of(sounds)},
            {"transcription", texts(said)},
            {"speaker_id", test::cells<arrow::Int64Builder>(speakers)}};
  }
  void write(const std::string& name, const test::Columns& columns, int64_t group_rows = 1000) {
    fs::create_directories((folder() / name).parent_path());
    test::write_parquet(folder() / name, *test::table_of(columns), group_rows);
  }
};

TEST_F(RecordingSets, rows_become_clips_of_the_same_bytes_as_their_files) {
  write("set/data/train-00000-of-00002.parquet", rows(0, 20), /*group_rows=*/7);
  write("set/data/train-00001-of-00002.parquet", rows(20, 30));
  write("set/data/test-00000-of-00001.parquet", rows(30, 31));
  const Manifest manifest = read_manifest(folder() / "set");
  ASSERT_EQ(manifest.records.size(), 30U);
  EXPECT_EQ(manifest.records[9].audio, "data/train-00000-of-00002.parquet: row group 1, row 9");
  EXPECT_EQ(manifest.records[9].text, "Number 9 is said.");
  EXPECT_EQ(manifest.records[9].speaker, "4");
  EXPECT_EQ(manifest.records[9].source, "set");
  test::build_alike(options("set", "one"));
  EXPECT_TRUE(test::rejects_of(folder() / "one").empty());
  const TokenShard rows(folder() / "one" / "train-00000-of-00001.kshard");
  ASSERT_EQ(rows.clips(), 30U);

  // The same as files beside each other.
  for (const size_t i : {5U, 25U}) write_beside(i, i % 4 == 1 ? ".flac" : ".wav");
  ASSERT_EQ(build_set(options("files", "of_files"), nullptr, {}).end, BuildEnd::kFinished);
  const TokenShard of_files(folder() / "of_files" / "train-00000-of-00001.kshard");
  EXPECT_EQ(of_files.clip(0).codes, rows.clip(25).codes);
  EXPECT_EQ(of_files.clip(1).codes, rows.clip(5).codes);
}

TEST_F(RecordingSets, rows_that_changed_are_made_again_and_no_others) {
  write("set.parquet", rows(0, 12), 5);
  ASSERT_EQ(build_set(options("set.parquet", "out"), nullptr, {}).work.done, 12U);
  EXPECT_EQ(build_set(options("set.parquet", "out"), nullptr, {}).end, BuildEnd::kWasThere);
  test::Columns changed = rows(0, 13);
  Cells<std::string> sounds;
  for (size_t i = 0; i < 13; ++i) sounds.emplace_back(sound(i == 3 ? 99 : i, ".wav"));
  for (const size_t i : {1U, 5U, 9U}) sounds[i] = sound(i, ".flac");
  for (const size_t i : {2U, 6U, 10U}) sounds[i] = sound(i, ".mp3");
  for (const size_t i : {7U, 11U}) sounds[i] = sound(i, ".ogg");
  changed[0].second = audio_of(sounds);
  write("set.parquet", changed, 5);
  EXPECT_EQ(build_set(options("set.parquet", "out"), nullptr, {}).work.done, 2U);
  ASSERT_EQ(build_set(options("set.parquet", "fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(folder() / "out"), test::set_of(folder() / "fresh"));
}

TEST_F(RecordingSets, names_are_those_of_manifests_and_binary_columns_do) {
  Cells<std::string> sounds = {sound(1, ".wav"), sound(2, ".ogg")};
  write("set.parquet", {{"path", texts({"x.mp3", "y.mp3"})},
                        {"audio", bytes_of(sounds)},
                        {"text", texts({"Dr. One", "Two"})},
                        {"text_normalized", texts({"doctor one", std::nullopt})},
                        {"locale", texts({"de", "en"})},
                        {"start", test::cells<arrow::Int64Builder>(Cells<int64_t>{100, 200})},
                        {"client_id", texts({"anna", std::nullopt})}});
  const Manifest manifest = read_manifest(folder() / "set.parquet", {.speaker = "ben"});
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].text, "doctor one");
  EXPECT_EQ(manifest.records[1].text, "Two");
  EXPECT_EQ(manifest.records[0].language, "de");
  EXPECT_EQ(manifest.records[0].start_s, 0);
  EXPECT_EQ(manifest.records[0].speaker, "anna");
  EXPECT_EQ(manifest.records[1].speaker, "ben");
  const auto rows = RecordingRows::open(folder() / "set.parquet");
  for (const size_t i : {1U, 0U, 1U}) {
    const auto bytes = rows->sound(static_cast<int64_t>(i));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), *sounds[i]);
  }
  EXPECT_THROW(rows->sound(2), Error);
}

TEST_F(RecordingSets, a_folder_of_save_to_disk_is_read_too) {
  fs::create_directories(folder() / "saved");
  test::write_stream(folder() / "saved" / "data-00000-of-00001.arrow", *test::table_of(rows(0, 3)));
  records_.folder().write("saved/state.json",
                          R"({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})");
  ASSERT_EQ(build_set(options("saved", "out"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_TRUE(test::rejects_of(folder() / "out").empty());
}

TEST_F(RecordingSets, bad_rows_are_named_and_cost_no_others) {
  Cells<std::string> sounds, said;
  for (size_t i = 0; i < 8; ++i) {
    sounds.emplace_back(sound(i, ".wav"));
    said.emplace_back(concat("Number ", i, " is said."));
  }
  sounds[1] = std::nullopt;
  sounds[2] = "";
  sounds[3] = "This is no sound.";
  sounds[4] = sounds[4]->substr(0, 30);
  said[5] = std::nullopt;
  said[6] = std::string(70'000, 'a');
  write("set.parquet", {{"audio", audio_of(sounds)}, {"text", texts(said)}}, 3);
  BuildOptions build = options("set.parquet", "out");
  build.assembly.selection.allowed_errors = {"set"};
  ASSERT_EQ(build_set(build, nullptr, {}).end, BuildEnd::kFinished);
  const auto row = [](int group, int number) {
    return concat("set.parquet: row group ", group, ", row ", number);
  };
  EXPECT_EQ(test::rejects_of(folder() / "out"),
            (std::map<std::string, std::string>{{row(0, 1), "audio_missing"},
                                                {row(0, 2), "audio_missing"},
                                                {row(1, 3), "audio"},
                                                {row(1, 4), "audio"},
                                                {row(1, 5), "text_missing"},
                                                {row(2, 6), "text_length"}}));
}

TEST_F(RecordingSets, what_is_no_set_of_recordings_is_refused_as_a_whole) {
  const ArrayPtr one = texts({"x"}), sound = bytes_of({"x"});
  write("codes.parquet", {{"text", one}});
  EXPECT_NE(refusal("codes.parquet").find("has no column audio"), std::string::npos);
  write("paths.parquet", {{"text", one}, {"audio", one}});
  EXPECT_NE(refusal("paths.parquet").find("has no column audio"), std::string::npos);
  write("no_text.parquet", {{"audio", sound}});
  EXPECT_NE(refusal("no_text.parquet").find("has no column text"), std::string::npos);
  write("twice.parquet", {{"audio", sound}, {"text", one}, {"text", one}});
  EXPECT_NE(refusal("twice.parquet").find("is there 2 times"), std::string::npos);
  records_.folder().write("none.parquet", "PAR1 not PAR1");
  EXPECT_NE(refusal("none.parquet"), "");
  const auto field = arrow::field("audio", arrow::binary(), true,
                                  arrow::key_value_metadata({"ARROW:extension:name"}, {"evil"}));
  const arrow::FieldVector fields = {field, arrow::field("text", arrow::utf8())};
  const auto table = arrow::Table::Make(arrow::schema(fields), std::vector<ArrayPtr>{sound, one});
  test::write_stream(folder() / "extension.arrow", *table);
  EXPECT_NE(refusal("extension.arrow").find("has no column audio"), std::string::npos);
}

TEST_F(RecordingSets, changed_bytes_and_cut_files_end_in_rejects_or_one_error) {
  write("good.parquet", rows(0, 6), 3);
  const std::string good = read_file(folder() / "good.parquet", 1 << 24);
  size_t refused = 0, rejected = 0;
  for (size_t i = 0; i < 40; ++i) {
    std::string bytes = good;
    const size_t at = i * good.size() / 40;
    if (i % 4 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ 0xFF);
      if (i % 4 == 1) bytes[bytes.size() - 9 - i] ^= 0x55;  // in the footer
    }
    records_.folder().write("bad.parquet", bytes);
    try {
      const Manifest manifest = read_manifest(folder() / "bad.parquet");
      const auto sounds = RecordingRows::open(folder() / "bad.parquet");
      for (const SourceRecord& record : manifest.records) {
        try {
          DecodedSound decoded;
          const auto bytes_of_row = sounds->sound(record.row);
          rejected += decode_record(record, "", {}, decoded, bytes_of_row).has_value() ? 1U : 0U;
        } catch (const Error&) {
          ++rejected;
        }
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GE(refused, 10U);
  EXPECT_GE(rejected, 5U);
}

TEST_F(RecordingSets, a_page_that_cannot_be_read_costs_the_rest_of_its_group) {
  // Plain pages, so that a byte of a sound can be found in the file; checksums tell.
  test::Columns columns = rows(0, 40);
  const auto file = *arrow::io::FileOutputStream::Open((folder() / "set.parquet").string());
  const auto properties = parquet::WriterProperties::Builder()
                              .enable_page_checksum()
                              ->disable_dictionary()
                              ->data_pagesize(1 << 14)
                              ->build();
  ASSERT_TRUE(parquet::arrow::WriteTable(*test::table_of(columns), arrow::default_memory_pool(),
                                         file, 20, properties)
                  .ok());
  ASSERT_TRUE(file->Close().ok());
  std::string bytes = read_file(folder() / "set.parquet", 1 << 24);
  const std::string broken = sound(24, ".wav").substr(100, 60);
  const size_t at = bytes.find(broken);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  records_.folder().write("set.parquet", bytes);
  for (const int workers : {1, 5}) {
    BuildOptions build = options("set.parquet", concat("out", workers));
    build.workers = workers;
    build.assembly.selection.allowed_errors = {"set"};
    ASSERT_EQ(build_set(build, nullptr, {}).end, BuildEnd::kFinished);
    const auto rejects = test::rejects_of(folder() / concat("out", workers));
    EXPECT_FALSE(rejects.contains("set.parquet: row group 0, row 19"));
    EXPECT_EQ(rejects.at("set.parquet: row group 1, row 24"), "audio");
  }
  EXPECT_EQ(test::set_of(folder() / "out1"), test::set_of(folder() / "out5"));
}

}  // namespace
}  // namespace kani
