// clip_set_test.cc - which shards a folder's set has, what is refused, and how recordings are
// divided.
#include "kani/train/clip_set.h"

#include "kani/base/sha256.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class ClipSetTest : public RunTest {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    fs::create_directories(set_);
  }
  void add(const std::string& name) { fs::copy_file(folder_ / "data.kshard", set_ / name); }
  void write_manifest(const std::vector<std::string>& names) {
    std::string text = std::string(64, '0') + "  clips.jsonl\n";
    for (const std::string& name : names) text += sha256_hex(set_ / name) + "  " + name + "\n";
    write_file(set_ / "MANIFEST", text);
  }
  TokenLayout layout() const { return TokenLayout::of(load_module(folder_ / "base").config()); }
  ClipSet open(double bad_share = 0) const {
    return ClipSet({set_}, layout(), {}, {.split = Split::kTrain, .bad_share = bad_share});
  }
  std::string refusal() const {
    try {
      open();
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  const fs::path set_ = folder_ / "set";
};

TEST_F(ClipSetTest, a_shard_that_its_manifest_does_not_name_is_refused) {
  add("train-0.kshard");
  write_manifest({"train-0.kshard"});
  EXPECT_EQ(refusal(), "");
  add("train-1.kshard");
  EXPECT_NE(refusal().find("train-1.kshard: is not named in the MANIFEST"), std::string::npos)
      << refusal();
}

TEST_F(ClipSetTest, T7_a_shard_that_is_another_than_its_manifest_has_is_bad) {
  add("train-0.kshard");
  add("train-1.kshard");
  write_manifest({"train-0.kshard", "train-1.kshard"});
  write_shard(set_ / "train-1.kshard", [](TrainingClip& clip, size_t) { clip.language = "fr"; });
  EXPECT_NE(refusal().find("train-1.kshard"), std::string::npos) << refusal();
  EXPECT_EQ(open(0.5).bad_shards(), 1U);
}

TEST_F(ClipSetTest, T7_a_set_of_which_shards_are_missing_is_refused) {
  add("train-00000-of-00003.kshard");
  add("train-00002-of-00003.kshard");
  EXPECT_NE(refusal().find("train-00001-of-00003.kshard"), std::string::npos) << refusal();
  EXPECT_EQ(open(0.4).bad_shards(), 1U);
  add("train-00001-of-00003.kshard");
  EXPECT_EQ(open().size(), 3 * 38U);
  add("valid-00000-of-00002.kshard");
  EXPECT_EQ(open().size(), 3 * 38U) << "is of the other part";
  add("train-00000-of-00001.kshard");
  EXPECT_NE(refusal().find("shards of two sets"), std::string::npos) << refusal();
}

TEST_F(ClipSetTest, recordings_are_told_from_shards) {
  write_file(set_ / "a.wav", "RIFF");
  for (const fs::path& place : {set_, set_ / "a.wav"}) {
    try {
      ClipSet({place}, layout());
      FAIL() << place;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("*.kshard"), std::string::npos) << error.what();
      EXPECT_NE(error.hint().find("kani data build"), std::string::npos) << error.hint();
    }
  }
}

TEST_F(ClipSetTest, what_was_cut_out_of_a_recording_is_on_one_side) {
  write_shard(folder_ / "data.kshard", [](TrainingClip& clip, size_t i) {
    clip.source = "set";
    clip.notes = concat("{\"audio\": \"long-", i / 4, ".wav\", \"start\": ", i % 4, "}");
  });
  std::map<size_t, std::set<Split>> sides;  // of each recording
  size_t valid = 0;
  for (const Split side : {Split::kTrain, Split::kValid}) {
    ClipSet clips({folder_ / "data.kshard"}, layout());
    clips.keep(side, 0.5, 1);
    for (size_t i = 0; i < clips.size(); ++i)
      sides[std::stoul(clips.name(i).substr(clips.name(i).find(':') + 1)) / 4].insert(side);
    if (side == Split::kValid) valid = clips.size();
  }
  EXPECT_EQ(sides.size(), 10U);
  for (const auto& [recording, seen] : sides) EXPECT_EQ(seen.size(), 1U) << recording;
  EXPECT_GT(valid, 0U);
  EXPECT_LT(valid, 38U);
}

TEST_F(ClipSetTest, a_clip_that_does_not_fit_the_model_is_named) {
  write_shard(folder_ / "data.kshard", [](TrainingClip& clip, size_t i) {
    if (i == 7) clip.text.push_back(405);  // a control id
  });
  const ClipSet clips({folder_ / "data.kshard"}, layout());
  EXPECT_NO_THROW(clips.ids(6, clips.clip(6), layout(), {}));
  try {
    clips.ids(7, clips.clip(7), layout(), {});
    FAIL() << "fits";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 13), "data.kshard:7") << error.what();
  }
}

}  // namespace
}  // namespace kani::train
