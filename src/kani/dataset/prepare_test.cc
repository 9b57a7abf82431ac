// prepare_test.cc - the configuration file and upstream's rules for one clip.
#include "kani/dataset/prepare.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

const std::string kSource =
    "  - reponame: a\n    name: null\n    split: train\n    text_col_name: t\n"
    "    nano_layer_1: c1\n    nano_layer_2: c2\n    nano_layer_3: c3\n    nano_layer_4: c4\n"
    "    encoded_len: n\n    speaker_emb: v\n";

std::string config(const std::string& limit, const std::string& source_end = "") {
  return "max_duration_sec: " + limit + "\nlenght_statistics: true\nhf_datasets:\n" + kSource +
         source_end;
}

void expect_config_refused(const std::string& yaml, const std::string& reason) {
  test::expect_refused([&] { parse_prepare_config(yaml, "file.yaml"); }, "file.yaml", reason);
}

TEST(PrepareConfig, the_reference_configuration_is_read) {
  const std::string file = KANI_TEST_DATA "/training/full/dataset_config.yaml";
  const PrepareConfig c = parse_prepare_config(read_file(file, 1 << 20), file);
  EXPECT_EQ(c.max_duration_s, 3.2);
  EXPECT_TRUE(c.length_statistics);
  EXPECT_TRUE(c.unknown_keys.empty());
  ASSERT_EQ(c.sources.size(), 3u);
  EXPECT_EQ(c.sources[1].columns.text, "sentence");
  EXPECT_EQ(c.sources[1].columns.layers[3], "c4");
  EXPECT_EQ(c.sources[1].columns.voice, "grouped_sp_emb");
  EXPECT_EQ(c.sources[1].language_tag, "es");
  EXPECT_EQ(c.sources[2].language_tag, "");
  EXPECT_EQ(c.sources[2].max_rows, 8u);
  EXPECT_EQ(c.sources[0].max_rows, std::nullopt);
}

TEST(PrepareConfig, null_and_zero_are_no_limit) {
  EXPECT_EQ(parse_prepare_config(config("null"), "x").max_duration_s, std::nullopt);
  EXPECT_EQ(parse_prepare_config(config("0"), "x").max_duration_s, std::nullopt);
  EXPECT_EQ(parse_prepare_config(config("40"), "x").max_duration_s, 40.0);
}

TEST(PrepareConfig, unknown_keys_are_listed_not_refused) {
  const PrepareConfig c = parse_prepare_config(config("1", "    shuffle: 3\n") + "extra: 1\n", "x");
  EXPECT_EQ(c.unknown_keys, (std::vector<std::string>{"shuffle", "extra"}));
}

TEST(PrepareConfig, nonsense_is_refused_with_line_and_key) {
  expect_config_refused("", "the document is no map");
  expect_config_refused("hf_datasets: []\n", "has no key max_duration_sec");
  expect_config_refused("max_duration_sec: 1\nhf_datasets: []\n", "line 2: hf_datasets must be");
  expect_config_refused("max_duration_sec: 1\nhf_datasets: [7]\n", "a source is no map");
  expect_config_refused("max_duration_sec: 1\nhf_datasets:\n  - reponame: a\n", "has no key name");
  expect_config_refused(config("-1"), "line 1: max_duration_sec is \"-1\"");
  expect_config_refused(config("forty"), "must be a number of seconds or null");
  expect_config_refused(config("1", "    max_len: 0\n"), "max_len is \"0\"");
  expect_config_refused(config("1", "    max_len: many\n"), "must be a number of rows");
}

TEST(PrepareRules, a_clip_exactly_at_the_limit_stays) {
  EXPECT_TRUE(within_duration(40, 3.2));
  EXPECT_FALSE(within_duration(41, 3.2));
  EXPECT_TRUE(within_duration(1'000'000, std::nullopt));
}

TEST(PrepareRules, the_tag_is_lowered_and_put_in_front) {
  EXPECT_EQ(text_with_tag("EN_us", " Hi"), "en_us:  Hi");
  EXPECT_EQ(text_with_tag("", "Hi"), "Hi");
  EXPECT_EQ(text_with_tag("en", ""), "en: ");
}

TEST(PrepareRules, of_equal_neighbours_the_first_frame_stays) {
  const std::vector<int32_t> codes = {1, 2, 1, 2, 3, 4, 3, 5, 3, 5, 1, 2};
  EXPECT_EQ(without_repeated_frames(codes, 2), (std::vector<int32_t>{1, 2, 3, 4, 3, 5, 1, 2}));
  EXPECT_EQ(without_repeated_frames(codes, 4), codes);
  EXPECT_TRUE(without_repeated_frames({}, 4).empty());
}

}  // namespace
}  // namespace kani
