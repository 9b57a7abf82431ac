// arrow_round_trip_test.cc - sets of build to Parquet and back: every split under its name, the ids
// that they had, and all of it or nothing.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "kani/base/sha256.h"
#include "kani/dataset/arrow_commands.h"
#include "kani/dataset/arrow_convert.h"
#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/convert.h"
#include "kani/dataset/test_build.h"
#include "kani/formats/test_expect.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

const fs::path kTokenizer = fs::path(KANI_TEST_DATA) / "training" / "tokenizer";

class RoundTrip : public ::testing::Test {
 protected:
  RoundTrip() : tokenizer_(Tokenizer::load(kTokenizer)) {
    info_ = {.codebook_size = 60,
             .voice_dim = 0,
             .tokenizer = sha256_hex(kTokenizer / "tokenizer.json"),
             .text_rules = "kani front end 1"};
  }

  /// A clip as build makes it.
  TrainingClip clip(const std::string& text, const std::string& language,
                    const std::string& tag = {}) {
    const TaggedText tagged = tagged_text(config_, text, tag);
    TrainingClip clip;
    clip.utf8 = tagged.whole();
    clip.text = encode(tokenizer_, tagged, AddedTokens::kPlainText);
    clip.codes = {1, 2, 3, 4};
    clip.encoded_len = 1;
    clip.language = language;
    if (!tagged.token.empty()) clip.notes = R"({"tag_token":")" + tagged.token + R"("})";
    return clip;
  }
  void write(const std::string& name, const std::vector<TrainingClip>& clips) {
    ShardWriter shard(info_);
    for (const TrainingClip& one : clips) shard.add(one);
    fs::create_directories((folder_ / name).parent_path());
    shard.write(folder_ / name);
  }
  ConvertReport convert(const std::string& from, const std::string& to, SetForm form,
                        const std::string& split = "train") {
    return convert_set({.input = folder_ / from,
                        .split = split,
                        .output = folder_ / to,
                        .form = form,
                        .tokenizer = kTokenizer});
  }
  std::set<std::string> names(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / folder))
      names.insert(entry.path().filename().string());
    return names;
  }
  void write_three_splits() {
    write("set/train-00000-of-00002.kshard", {clip("one", ""), clip("two", "")});
    write("set/train-00001-of-00002.kshard", {clip("three", "")});
    write("set/valid-00000-of-00001.kshard", {clip("four", "")});
    write("set/test-00000-of-00001.kshard", {clip("five", "")});
  }

  test::TemporaryFolder folder_;
  Tokenizer tokenizer_;
  Lfm2Config config_;
  ShardInfo info_;
};

TEST_F(RoundTrip, what_is_not_trained_on_stays_apart_and_keeps_its_name) {
  write_three_splits();
  EXPECT_EQ(convert("set", "train", SetForm::kParquet).clips, 3u);
  EXPECT_EQ(names("train"), (std::set<std::string>{"MANIFEST", "train-00000-of-00002.parquet",
                                                   "train-00001-of-00002.parquet"}));
  EXPECT_EQ(convert("set", "valid", SetForm::kParquet, "valid").clips, 1u);
  EXPECT_EQ(names("valid"), (std::set<std::string>{"MANIFEST", "valid-00000-of-00001.parquet"}));
  EXPECT_EQ(convert("set/test-00000-of-00001.kshard", "one", SetForm::kShards).clips, 1u);
  EXPECT_EQ(names("one"), (std::set<std::string>{"MANIFEST", "test-00000-of-00001.kshard"}));
  EXPECT_EQ(verify_set(folder_ / "one"), 1u);
}

TEST_F(RoundTrip, all_splits_go_there_and_back) {
  write_three_splits();
  EXPECT_EQ(convert("set", "parquet", SetForm::kParquet, "all").clips, 5u);
  EXPECT_EQ(convert("parquet", "back", SetForm::kShards, "all").clips, 5u);
  EXPECT_EQ(names("back"),
            (std::set<std::string>{"MANIFEST", "train-00000-of-00001.kshard",
                                   "valid-00000-of-00001.kshard", "test-00000-of-00001.kshard"}));
  EXPECT_EQ(TokenShard(folder_ / "back/train-00000-of-00001.kshard").clips(), 3u);
  EXPECT_EQ(TokenShard(folder_ / "back/valid-00000-of-00001.kshard").clip(0).utf8, "four");
  EXPECT_THROW(convert("set", "no", SetForm::kProcessed, "all"), Error);
}

TEST_F(RoundTrip, a_split_that_is_not_there_is_an_error) {
  write("set/valid-00000-of-00001.kshard", {clip("four", "")});
  EXPECT_THROW(convert("set", "no", SetForm::kParquet), Error);
  EXPECT_FALSE(fs::exists(folder_ / "no"));
}

TEST_F(RoundTrip, ids_are_the_same_with_tags_without_and_with_tokens_for_tags) {
  config_.language_tokens = {{"de", "<|pad|>"}};
  const std::vector<std::vector<TrainingClip>> sets = {
      {clip("Good morning", "en"), clip("en: it says", "en"), clip("plain", "")},
      {clip("Good morning", "en", "en"), clip("en: it says", "en", "en"), clip("plain", "")},
      {clip("Guten Tag", "de", "de"), clip("<|pad|>: it says", "en", "en"), clip("<|pad|>", "")}};
  EXPECT_EQ(sets[2][0].utf8, "<|pad|>: Guten Tag");
  for (size_t i = 0; i < sets.size(); ++i) {
    const auto name = [i](const char* what) { return concat(what, i); };
    write(name("set") + "/train-00000-of-00001.kshard", sets[i]);
    convert(name("set"), name("parquet"), SetForm::kParquet);
    convert(name("parquet"), name("back"), SetForm::kShards);
    convert(name("back"), name("again"), SetForm::kParquet);
    convert(name("again"), name("end"), SetForm::kShards);
    for (const char* last : {"back", "end"}) {
      const TokenShard shard(folder_ / name(last) / "train-00000-of-00001.kshard");
      EXPECT_EQ(shard.info(), info_);
      ASSERT_EQ(shard.clips(), sets[i].size());
      for (size_t k = 0; k < sets[i].size(); ++k) {
        EXPECT_EQ(shard.clip(k).text, sets[i][k].text) << i << " " << k << " " << last;
        EXPECT_EQ(shard.clip(k).utf8, sets[i][k].utf8);
      }
    }
  }
}

TEST_F(RoundTrip, what_build_writes_as_parquet_has_the_ids_of_its_shards) {
  test::BuildFolder records;
  for (size_t i = 0; i < 3; ++i) records.good(i);
  BuildOptions options = records.options("out");
  options.clips.language_tags = true;
  options.assembly.parquet = true;
  options.assembly.selection.split.valid_share = 0;
  ASSERT_EQ(build_set(options, nullptr, {}).end, BuildEnd::kFinished);
  const fs::path out = records.folder() / "out";
  convert_set({.input = out / "train-00000-of-00001.parquet",
               .output = folder_ / "back",
               .tokenizer = options.model.model / "lm"});
  const TokenShard before(out / "train-00000-of-00001.kshard");
  const TokenShard after(folder_ / "back/train-00000-of-00001.kshard");
  EXPECT_EQ(after.info(), before.info());
  ASSERT_EQ(after.clips(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(before.clip(i).utf8.starts_with("en: "));
    EXPECT_EQ(after.clip(i).text, before.clip(i).text);
    EXPECT_EQ(after.clip(i).voice, before.clip(i).voice);
  }
}

TEST_F(RoundTrip, a_bad_row_in_the_last_file_leaves_nothing_behind) {
  test::SourceSet good(3), bad(3);
  bad.text[2].reset();
  fs::create_directories(folder_ / "set");
  test::write_parquet(folder_ / "set/train-00000-of-00002.parquet",
                      *test::table_of(good.columns()));
  test::write_parquet(folder_ / "set/train-00001-of-00002.parquet", *test::table_of(bad.columns()));
  ConvertOptions options{.input = folder_ / "set",
                         .output = folder_ / "out",
                         .form = SetForm::kParquet,
                         .voice_dim = 3};
  EXPECT_THROW(convert_set(options), BadRow);
  EXPECT_TRUE(fs::is_empty(folder_ / "out"));
  options.bad_rows = BadRows::kDrop;
  EXPECT_EQ(convert_set(options).clips, 5u);
  EXPECT_EQ(verify_set(folder_ / "out"), 2u);
}

TEST_F(RoundTrip, the_command_takes_sizes_from_shards_of_any_model) {
  write_three_splits();
  std::ostringstream out, err;
  const std::vector<std::string> there = {(folder_ / "set").string(), (folder_ / "p").string(),
                                          "--to", "parquet"};
  EXPECT_EQ(run_convert(there, out, err), 0) << err.str();
  const std::vector<std::string> other = {(folder_ / "set").string(),
                                          (folder_ / "q").string(),
                                          "--to=parquet",
                                          "--voice-size",
                                          "0",
                                          "--codebook-size",
                                          "61"};
  EXPECT_EQ(run_convert(other, out, err), exit_status(ErrorCode::kBadInput));
  EXPECT_NE(err.str().find("codes in a codebook: 60, expected 61"), std::string::npos);
}

}  // namespace
}  // namespace kani
