// A build after its recordings or its manifest have changed: what changed is made again, nothing
// else is, and the set has the bytes of one that was made of all that from the start.
#include <gtest/gtest.h>

#include "kani/dataset/test_build.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class BuildChanges : public testing::Test {
 protected:
  static constexpr size_t kRecords = 12;

  void SetUp() override {
    for (size_t i = 0; i < kRecords; ++i) add(i);
    lines_.push_back("none.wav\tNothing to be heard.\ten\tanna\tset");
  }
  void sound(const std::string& name, uint64_t seed) {
    records_.sound(name, babble(0.8, 16000, seed));
  }
  void add(size_t number) {
    sound(concat(number, ".wav"), number + 1);
    lines_.push_back(
        concat(number, ".wav\tNumber ", number, " is said.\ten\tspeaker ", number % 5, "\tset"));
  }
  BuildOptions options(const std::string& out) const {
    BuildOptions options = records_.options(out);
    std::string text = "audio\ttext\tlanguage\tspeaker\tsource\n";
    for (const std::string& line : lines_) text += line + "\n";
    records_.folder().write("lines.tsv", text);
    options.manifest = records_.folder() / "lines.tsv";
    options.assembly.shard_clips = 7;
    options.assembly.selection.split.valid_share = 0.2;
    options.assembly.selection.allowed_errors = {"set"};
    return options;
  }
  /// Builds, and expects that so many records were made; the same must come out of nothing.
  void expect_made(size_t records) {
    const BuildResult result = build_set(options("out"), nullptr, {});
    EXPECT_EQ(result.end, BuildEnd::kFinished);
    EXPECT_EQ(result.work.done, records);
    EXPECT_EQ(result.work.before + result.work.done, lines_.size());
    EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kWasThere);
    fs::remove_all(out("fresh"));
    ASSERT_EQ(build_set(options("fresh"), nullptr, {}).end, BuildEnd::kFinished);
    EXPECT_EQ(test::set_of(out("out")), test::set_of(out("fresh")));
  }
  fs::path out(const std::string& name) const { return records_.folder() / name; }

  test::BuildFolder records_;
  std::vector<std::string> lines_;
};

TEST_F(BuildChanges, a_recording_that_was_replaced_is_made_again_and_no_other) {
  expect_made(lines_.size());
  // Of the same size, with the time of the old one, as out of an archive.
  const auto time = fs::last_write_time(out("3.wav"));
  const auto size = fs::file_size(out("3.wav"));
  sound("new.wav", 99);
  fs::last_write_time(out("new.wav"), time);
  fs::rename(out("new.wav"), out("3.wav"));
  ASSERT_EQ(fs::file_size(out("3.wav")), size);
  expect_made(1);
}

TEST_F(BuildChanges, a_recording_that_came_or_went_is_noticed) {
  expect_made(lines_.size());
  sound("none.wav", 55);
  expect_made(1);
  fs::remove(out("5.wav"));
  expect_made(1);
}

TEST_F(BuildChanges, other_times_are_no_change) {
  expect_made(lines_.size());
  for (size_t i = 0; i < kRecords; ++i) fs::last_write_time(out(concat(i, ".wav")), {});
  EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kWasThere);
}

TEST_F(BuildChanges, without_finished_work_the_set_is_known_by_what_the_recordings_hold) {
  expect_made(lines_.size());
  fs::remove_all(out("out") / "work");
  EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kWasThere);
  sound("3.wav", 99);
  expect_made(lines_.size());
}

TEST_F(BuildChanges, records_that_came_went_and_changed_leave_the_others_as_they_are) {
  expect_made(lines_.size());
  lines_.erase(lines_.begin() + 4);
  lines_[7] = "8.wav\tIt is called otherwise now.\ten\tspeaker 3\tset";
  sound("first.wav", 77);
  lines_.insert(lines_.begin(), "first.wav\tIn front of all of them.\ten\tspeaker 1\tset");
  expect_made(2);
  std::swap(lines_[2], lines_[9]);
  expect_made(0);
}

TEST_F(BuildChanges, a_unit_of_many_records_is_taken_apart) {
  // 256 records and more are two in a unit, so that all units change here.
  while (lines_.size() < 255) add(lines_.size());
  ASSERT_EQ(build_set(options("out"), nullptr, {}).work.done, 255U);
  sound("first.wav", 777);
  lines_.insert(lines_.begin(), "first.wav\tIn front of all of them.\ten\tspeaker 1\tset");
  ASSERT_EQ(build_set(options("out"), nullptr, {}).work.done, 1U);
  sound("40.wav", 7777);  // its neighbour in the unit is not made again
  lines_.erase(lines_.begin() + 100);
  lines_.push_back(lines_[150]);
  expect_made(1);
}

TEST_F(BuildChanges, interrupted_or_shared_they_give_the_same_bytes) {
  expect_made(lines_.size());
  for (size_t i = 20; i < 26; ++i) add(i);
  sound("3.wav", 99);
  CancelToken cancel;
  const auto tell = [&](const WorkCounts& counts) {
    if (counts.done >= 1) cancel.cancel();
  };
  const BuildResult first = build_set(options("out"), &cancel, tell);
  EXPECT_EQ(first.end, BuildEnd::kCancelled);
  BuildOptions part = options("out");
  part.part = {1, 2};
  const BuildResult second = build_set(part, nullptr, {});
  EXPECT_EQ(second.end, BuildEnd::kPartDone);
  part.part = {0, 2};
  const BuildResult third = build_set(part, nullptr, {});
  EXPECT_EQ(third.end, BuildEnd::kFinished);
  EXPECT_EQ(first.work.done + second.work.done + third.work.done, 7U);
  ASSERT_EQ(build_set(options("fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(out("out")), test::set_of(out("fresh")));
}

TEST_F(BuildChanges, damaged_work_is_not_taken_over) {
  expect_made(lines_.size());
  for (const auto& entry : fs::directory_iterator(out("out") / "work")) {
    if (entry.path().extension() != ".kshard") continue;
    write_file(entry.path(), "spoilt");
    break;
  }
  sound("first.wav", 77);
  lines_.insert(lines_.begin(), "first.wav\tIn front of all of them.\ten\tspeaker 1\tset");
  expect_made(2);
}

TEST_F(BuildChanges, parts_of_two_manifests_do_not_work_at_the_same_time) {
  BuildOptions part = options("out");
  part.part = {0, 2};
  ASSERT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kPartDone);
  const WorkFolder other(out("out") / "work", {0, 2});
  add(20);
  part = options("out");
  part.part = {1, 2};
  try {
    build_set(part, nullptr, {});
    FAIL() << "two manifests at once";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
    EXPECT_NE(std::string(error.what()).find("another manifest"), std::string::npos);
  }
}

}  // namespace
}  // namespace kani
