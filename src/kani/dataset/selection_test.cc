// Which clips are left out of a set, and that no clip is on two sides of it.
#include "kani/dataset/selection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

class Selecting : public testing::Test {
 protected:
  RecordFacts& add(const std::string& speaker, const std::string& source = "s",
                   double seconds = 5) {
    RecordFacts one;
    one.index = facts_.size();
    one.audio = concat("a", one.index, ".wav");
    one.speaker = speaker;
    one.source = source;
    one.seconds = seconds;
    one.text_key = 1000 + one.index;
    Random random(one.index);
    for (size_t i = 0; i < 32; ++i) {
      one.sound[i] = static_cast<std::byte>(random.next_u64());
      one.record[i] = static_cast<std::byte>(random.next_u64());
    }
    facts_.push_back(one);
    return facts_.back();
  }
  void add_error(const std::string& source = "s") {
    add("x", source).reject = Reject{RejectReason::kAudio, {}, ""};
  }

  void select() {
    splits_ = select_clips(facts_, options_, [&](const RecordFacts& one) {
      Random random(same_codes_.contains(one.index) ? same_codes_[one.index]
                                                    : one.index + 1'000'000);
      std::vector<int32_t> codes;
      for (int i = 0; i < 60; ++i) codes.push_back(static_cast<int32_t>(random.next_u64() % 4032));
      return codes;
    });
    check_no_leak(facts_, splits_);
  }
  std::map<std::string, int> reasons() const {
    std::map<std::string, int> counts;
    for (const RecordFacts& one : facts_)
      ++counts[one.reject ? std::string(reject_name(one.reject->reason)) : "kept"];
    return counts;
  }
  using Counts = std::map<std::string, int>;

  std::vector<RecordFacts> facts_;
  std::map<uint64_t, uint64_t> same_codes_;
  std::vector<Split> splits_;
  SelectionOptions options_{.split = {.valid_share = 0}};
};

TEST_F(Selecting, a_source_with_too_many_errors_is_stopped_unless_it_is_allowed) {
  for (int i = 0; i < 94; ++i) add("anna", "bad");
  for (int i = 0; i < 6; ++i) add_error("bad");
  for (int i = 0; i < 100; ++i) add("ben", "good");
  add_error("good");
  const auto before = facts_;
  select();
  EXPECT_EQ(reasons(), (Counts{{"audio", 7}, {"kept", 100}, {"source_stopped", 94}}));
  EXPECT_NEAR(*facts_[0].reject->value, 0.06, 1e-9);
  facts_ = before;
  options_.allowed_errors = {"bad"};
  select();
  EXPECT_EQ(reasons(), (Counts{{"audio", 7}, {"kept", 194}}));
}

TEST_F(Selecting, a_few_errors_do_not_stop_a_small_source) {
  for (int i = 0; i < 8; ++i) add("anna");
  for (int i = 0; i < 4; ++i) add_error();
  select();
  EXPECT_EQ(reasons(), (Counts{{"audio", 4}, {"kept", 8}}));
}

TEST_F(Selecting, repetitions_are_left_out_and_the_first_one_stays) {
  for (int i = 0; i < 20; ++i) add("anna");
  facts_[5].sound = facts_[2].sound;
  same_codes_ = {{3, 77}, {9, 77}};
  for (int i = 10; i < 17; ++i) facts_[static_cast<size_t>(i)].text_key = 1;
  select();
  EXPECT_EQ(
      reasons(),
      (Counts{{"duplicate_sound", 1}, {"duplicate_text", 2}, {"kept", 16}, {"near_duplicate", 1}}));
  EXPECT_EQ(facts_[5].reject->detail, "the samples of a2.wav");
  EXPECT_EQ(facts_[9].reject->detail, "of the codes are those of a3.wav");
  EXPECT_EQ(facts_[15].reject->reason, RejectReason::kDuplicateText);
}

TEST_F(Selecting, what_is_repeated_stays_in_the_test_split_and_leaves_the_training_split) {
  const RecordFolder folder;
  for (int i = 0; i < 10; ++i) add("");
  facts_[8].sound = facts_[1].sound;
  same_codes_ = {{2, 5}, {8, 6}, {9, 5}};
  facts_[3].text_key = facts_[9].text_key;
  folder.write("test.txt", "a8.wav\na9.wav\n");
  options_.split.test = TestList(folder / "test.txt");
  select();
  EXPECT_EQ(splits_[8], Split::kTest);
  EXPECT_FALSE(facts_[8].reject || facts_[9].reject);
  EXPECT_EQ(facts_[1].reject->reason, RejectReason::kDuplicateSound);
  EXPECT_EQ(facts_[2].reject->reason, RejectReason::kNearDuplicate);
  EXPECT_EQ(facts_[3].reject->reason, RejectReason::kSplitLeak);
  EXPECT_EQ(reasons()["kept"], 7);
}

TEST_F(Selecting, no_speaker_has_more_than_its_share_of_a_set_of_many) {
  for (int speaker = 0; speaker < 30; ++speaker) {
    for (int i = 0; i < 20; ++i) add(concat("speaker ", speaker));
  }
  for (int i = 0; i < 600; ++i) add("flood");
  for (int i = 0; i < 200; ++i) add("");
  const auto before = facts_;
  select();
  double total = 0;
  std::map<std::string, double> seconds;
  for (const RecordFacts& one : facts_) {
    if (one.reject) continue;
    total += one.seconds;
    seconds[one.speaker] += one.seconds;
  }
  EXPECT_LE(seconds["flood"], 0.05 * total);
  EXPECT_GE(seconds["flood"], 0.04 * total);
  EXPECT_EQ(seconds["speaker 3"], 100);
  EXPECT_EQ(seconds[""], 1000);
  facts_ = before;
  options_.allowed_shares = {"flood"};
  select();
  EXPECT_EQ(reasons()["kept"], 1400);
}

TEST_F(Selecting, among_just_enough_unequal_names_all_keep_something_and_most_stays) {
  for (const bool of_speakers : {true, false}) {
    for (const int count : {20, 21, 24, 30}) {
      facts_.clear();
      for (int name = 0; name < count; ++name) {
        for (int i = 0; i < 10 + name; ++i) {
          const std::string text = concat("name ", name);
          add(of_speakers ? text : "", of_speakers ? "s" : text, 3 + i % 5);
        }
      }
      double before = 0, after = 0;
      for (const RecordFacts& one : facts_) before += one.seconds;
      select();
      std::map<std::string, double> seconds;
      for (const RecordFacts& one : facts_) {
        if (one.reject) continue;
        after += one.seconds;
        seconds[one.speaker + one.source] += one.seconds;
      }
      EXPECT_EQ(seconds.size(), static_cast<size_t>(count));
      EXPECT_GT(after, 0.75 * before) << count;
      for (const auto& [name, some] : seconds) EXPECT_LE(some, 0.05 * before) << name;
    }
  }
}

TEST_F(Selecting, two_clips_of_each_of_twenty_speakers_are_not_all_left_out) {
  for (int i = 0; i < 40; ++i) add(concat("speaker ", i % 20), "s", 2 + 0.1 * i);
  select();
  EXPECT_GE(reasons()["kept"], 28);
}

TEST_F(Selecting, a_share_below_that_of_equals_is_that_of_equals) {
  options_.max_share = 0.01;
  for (int i = 0; i < 100; ++i) add(concat("speaker ", i % 20));
  select();
  EXPECT_EQ(reasons(), (Counts{{"kept", 100}}));
}

TEST_F(Selecting, shares_do_not_matter_among_few_names) {
  for (int i = 0; i < 100; ++i) add(i < 90 ? "anna" : concat("speaker ", i));
  select();
  EXPECT_EQ(reasons(), (Counts{{"kept", 100}}));
}

TEST(Split, a_speaker_is_on_one_side_and_stays_there) {
  const SplitOptions options{.valid_share = 0.2};
  int valid = 0;
  for (int i = 0; i < 2000; ++i) {
    RecordFacts one{.audio = concat(i, ".wav"), .source = "s", .speaker = concat("speaker ", i)};
    const Split split = split_of(one, options);
    one.audio = "another.wav";
    one.source = "t";
    EXPECT_EQ(split_of(one, options), split);
    valid += split == Split::kValid ? 1 : 0;
  }
  EXPECT_NEAR(valid, 400, 60);
  // Must not change from version to version: a set would lose its validation speakers.
  std::string sides;
  for (const char* name : {"anna", "ben", "cora", "dirk", "eva", "fritz"})
    sides += split_name(split_of({.speaker = name}, {.valid_share = 0.5}))[0];
  EXPECT_EQ(sides, "tvtvtv");
}

TEST(Split, without_a_speaker_the_recording_decides) {
  const SplitOptions options{.valid_share = 0.5};
  int valid = 0;
  for (int i = 0; i < 100; ++i)
    valid +=
        split_of({.audio = concat(i, ".wav"), .source = "s"}, options) == Split::kValid ? 1 : 0;
  EXPECT_NEAR(valid, 50, 20);
}

TEST(Split, a_test_list_that_names_nobody_is_refused) {
  const RecordFolder folder;
  folder.write("list", "a.wav\r\nspeaker:anna\n\n");
  const TestList list(folder / "list");
  EXPECT_TRUE(list.holds({.audio = "a.wav"}));
  EXPECT_TRUE(list.holds({.audio = "b.wav", .speaker = "anna"}));
  EXPECT_FALSE(list.holds({.audio = "b.wav"}));
  EXPECT_NO_THROW(list.check({{.audio = "a.wav", .speaker = "anna"}}));
  EXPECT_THROW(list.check({{.audio = "a.wav"}}), Error);
  EXPECT_THROW(list.check({{.audio = "b.wav", .speaker = "anna"}}), Error);
  folder.write("list", "\n");
  EXPECT_THROW(TestList(folder / "list"), Error);
}

}  // namespace
}  // namespace kani
