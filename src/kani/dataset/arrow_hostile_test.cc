// arrow_hostile_test.cc - files cut short and files with changed bytes: one clear error or the same
// rows, never a crash (reliability.md 6, "Parquet / Arrow").
// An Arrow stream has no checksums, so a changed number in it reads like another number; there the
// rows must only be such as the reader promises.  The set's state.json has the hash that tells.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "kani/base/file.h"
#include "kani/dataset/arrow_clips.h"
#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/arrow_write.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

const std::filesystem::path kTiny = std::filesystem::path(KANI_TEST_DATA) / "training" / "tiny";

ClipShape rules() {
  return {.layout = test::tiny_layout(), .voice_dim = 16, .voice_required = false};
}

TrainingClip example(int number) {
  TrainingClip clip;
  clip.utf8 = "clip " + std::to_string(number);
  clip.text = {1, 5, number % 300};
  for (int i = 0; i < 4 * (1 + number % 9); ++i) clip.codes.push_back((i * 7 + number) % 60);
  for (int i = 0; i < 16; ++i) clip.voice.push_back(static_cast<float>(i * number));
  clip.encoded_len = 1 + number % 9;
  clip.duration_s = static_cast<double>(clip.encoded_len) / 12.5;  // as without the column
  return clip;
}

/// Everything that a file says, as one text; nothing if it was refused.
class Hostile : public ::testing::Test {
 protected:
  std::optional<std::string> rows_of(const std::string& bytes, bool processed) {
    const std::string name = processed ? "h.arrow" : "h.parquet";
    write_file(folder_ / name, bytes);
    try {
      std::unique_ptr<ClipReader> reader;
      if (processed)
        reader = std::make_unique<SequenceClips>(folder_ / name, rules());
      else
        reader = std::make_unique<SourceClips>(folder_ / name, ClipColumns(), rules(),
                                               /*more=*/true);
      std::string all;
      TrainingClip clip;
      while (reader->next(clip) == NextClip::kClip) {
        all += concat(clip.utf8, "|", clip.encoded_len, "|", clip.duration_s, "|", clip.speaker);
        for (const int32_t code : clip.codes) {
          EXPECT_TRUE(code >= 0 && code < 60);
          all += concat(" ", code);
        }
        for (const int32_t id : clip.text) {
          EXPECT_TRUE(id >= 0 && id < 400);
          all += concat(",", id);
        }
        for (const float number : clip.voice) all += concat(";", number);
      }
      return all;
    } catch (const Error& error) {
      test::expect_well_formed(error, name, "");
      return std::nullopt;
    }
  }

  std::string parquet_bytes() {
    ParquetWriter writer(folder_ / "good.parquet", ShardInfo{},
                         /*rows_per_group=*/20);
    for (int i = 0; i < 50; ++i) writer.add(example(i));
    writer.finish();
    return read_file(folder_ / "good.parquet", 1 << 24);
  }

  test::TemporaryFolder folder_;
};

TEST_F(Hostile, a_parquet_file_cut_anywhere_is_refused) {
  for (const std::string& whole :
       {parquet_bytes(),
        read_file(kTiny / "source/src0/data/train-00000-of-00002.parquet", 1 << 24)}) {
    for (size_t size = 0; size < whole.size(); size += 97)
      EXPECT_EQ(rows_of(whole.substr(0, size), /*processed=*/false), std::nullopt) << size;
  }
}

TEST_F(Hostile, a_stream_cut_anywhere_is_refused) {
  const std::string whole = read_file(kTiny / "processed/data-00000-of-00001.arrow", 1 << 24);
  ASSERT_TRUE(rows_of(whole, /*processed=*/true).has_value());
  for (size_t size = 0; size < whole.size(); size += 97)
    EXPECT_EQ(rows_of(whole.substr(0, size), /*processed=*/true), std::nullopt) << size;
}

TEST_F(Hostile, a_changed_byte_of_our_parquet_is_found_or_does_not_matter) {
  const std::string whole = parquet_bytes();
  const std::optional<std::string> expected = rows_of(whole, /*processed=*/false);
  ASSERT_TRUE(expected.has_value());
  size_t refused = 0;
  constexpr size_t kStep = 11;  // prime to 8, so that every bit's turn comes
  for (size_t at = 0; at < whole.size(); at += kStep) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    const std::optional<std::string> rows = rows_of(changed, /*processed=*/false);
    if (rows) {
      EXPECT_EQ(*rows, *expected) << "byte " << at << " of " << whole.size();
    }
    refused += rows ? 0 : 1;
  }
  EXPECT_GT(refused, whole.size() / kStep / 4);
}

TEST_F(Hostile, a_changed_byte_of_any_file_crashes_nothing) {
  const std::string parquet =
      read_file(kTiny / "source/src0/data/train-00000-of-00002.parquet", 1 << 24);
  const std::string stream = read_file(kTiny / "processed/data-00000-of-00001.arrow", 1 << 24);
  for (const int flip : {0x01, 0x80, 0xFF}) {
    for (size_t at = 0; at < stream.size(); at += 31) {
      std::string changed = stream;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      rows_of(changed, /*processed=*/true);
    }
    for (size_t at = 0; at < parquet.size(); at += 13) {
      std::string changed = parquet;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      rows_of(changed, /*processed=*/false);
    }
  }
}

// The list of reliability.md 6; nulls, types, ragged lists and codes out of range are in
// arrow_clips_test.cc, a shard in place of another in build_set_test.cc (MANIFEST).
TEST_F(Hostile, d3_footers_that_lie) {
  const std::string whole = parquet_bytes();
  ASSERT_TRUE(rows_of(whole, /*processed=*/false).has_value());
  const size_t size_at = whole.size() - 8;
  const auto with = [&](size_t at, const std::string& bytes) {
    std::string changed = whole;
    return rows_of(changed.replace(at, bytes.size(), bytes), /*processed=*/false);
  };
  EXPECT_EQ(with(0, "PAR2"), std::nullopt);
  EXPECT_EQ(with(whole.size() - 4, "PAR2"), std::nullopt);
  EXPECT_EQ(with(whole.size() - 4, "PARE"), std::nullopt);  // encrypted
  for (const uint32_t size :
       {0U, 1U, 9U, static_cast<uint32_t>(whole.size()), 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    EXPECT_EQ(with(size_at, std::string(reinterpret_cast<const char*>(&size), 4)), std::nullopt)
        << size;
  }
  // Nested without end, as Thrift's compact form has it.
  EXPECT_EQ(
      rows_of("PAR1" + std::string(200'000, '\x1C') + std::string("\x40\x0D\x03\0", 4) + "PAR1",
              /*processed=*/false),
      std::nullopt);
}

TEST_F(Hostile, d3_ten_thousand_row_groups_are_read) {
  const test::SourceSet set(10'000);
  test::write_parquet(folder_ / "groups.parquet", *test::table_of(set.columns()),
                      /*group_rows=*/1);
  const ClipShape shape{.layout = test::tiny_layout(), .voice_dim = 3, .voice_required = true};
  SourceClips clips(folder_ / "groups.parquet", ClipColumns(), shape, /*more=*/false);
  TrainingClip clip;
  size_t rows = 0;
  while (clips.next(clip) == NextClip::kClip) ++rows;
  EXPECT_EQ(rows, 10'000U);
}

TEST_F(Hostile, d3_a_cell_that_unpacks_to_very_much_is_refused) {
  test::SourceSet set(2);
  set.text[1] = std::string(size_t{300} << 20, 'a');
  test::write_parquet(folder_ / "bomb.parquet", *test::table_of(set.columns()));
  const ClipShape shape{.layout = test::tiny_layout(), .voice_dim = 3, .voice_required = true};
  try {
    SourceClips clips(folder_ / "bomb.parquet", ClipColumns(), shape, /*more=*/false);
    TrainingClip clip;
    while (clips.next(clip) == NextClip::kClip) EXPECT_LT(clip.utf8.size(), 100U);
    ADD_FAILURE() << "300 MiB of text were taken";
  } catch (const Error& error) {
    test::expect_well_formed(error, "bomb.parquet", "");
  }
}

}  // namespace
}  // namespace kani
