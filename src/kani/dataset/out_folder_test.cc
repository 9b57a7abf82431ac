// Which folders are written to: nobody's files are taken for a set or for finished work.
#include "kani/dataset/out_folder.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class OutFolder : public testing::Test {
 protected:
  bool is_taken(const std::string& out, const std::string& input = "elsewhere") {
    try {
      take_out_folder(folder_ / out, folder_ / input);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
      return false;
    }
  }
  RecordFolder folder_;
};

TEST_F(OutFolder, a_new_one_an_empty_one_and_our_own_are_taken) {
  fs::create_directories(folder_ / "empty");
  folder_.write("begun/work/lock-0-of-1", "");
  folder_.write("begun/work/cuts-0a.json", "{}");
  folder_.write("planned/work/plan.json", R"({"work_version": 3})");
  folder_.write("planned/letter.txt", "dear");
  folder_.write("finished/set.json", R"({"format": "kani-set"})");
  for (const char* name : {"empty", "new/below", "begun", "planned", "finished"})
    EXPECT_TRUE(is_taken(name)) << name;
  EXPECT_TRUE(fs::is_directory(folder_ / "new/below"));
}

TEST_F(OutFolder, what_only_looks_like_ours_is_not) {
  folder_.write("corpus/MANIFEST", "0");
  folder_.write("project/work/thesis.txt", "years");
  folder_.write("stage/work/set/thesis.txt", "years");
  folder_.write("plan/work/plan.json", R"({"steps": 3})");
  folder_.write("broken/work/plan.json", "{");
  folder_.write("broken/work/thesis.txt", "years");
  folder_.write("cards/set.json", R"({"format": "cards"})");
  folder_.write("list/set.json", "[1]");
  for (const char* name : {"corpus", "project", "stage", "plan", "broken", "cards", "list"})
    EXPECT_FALSE(is_taken(name)) << name;
}

TEST_F(OutFolder, one_with_the_recordings_in_it_is_refused) {
  folder_.write("set/set.json", R"({"format": "kani-set"})");
  folder_.write("set/recordings/a.wav", "sound");
  EXPECT_FALSE(is_taken("set", "set/recordings"));
  EXPECT_FALSE(is_taken("set/", "set"));
  EXPECT_FALSE(is_taken("set/../set", "set/recordings/"));
  EXPECT_TRUE(is_taken("set/recordings/set", "set/recordings"));
  EXPECT_TRUE(is_taken("set", "settings"));
}

TEST_F(OutFolder, for_a_conversion_it_is_empty_or_holds_what_another_left) {
  folder_.write("killed/.part/train-00000-of-00002.parquet", "one");
  folder_.write("killed/.part/.train-00001-of-00002.parquet.abcdef.tmp", "half");
  for (const char* name : {"new", "killed"}) {
    EXPECT_EQ(take_empty_folder(folder_ / name), folder_ / name / ".part");
    EXPECT_TRUE(fs::is_empty(folder_ / name / ".part"));
  }
  folder_.write("used/letter.txt", "dear");
  folder_.write("part/.part/letter.txt", "dear");
  for (const char* name : {"used", "part"})
    EXPECT_THROW(take_empty_folder(folder_ / name), Error) << name;
  EXPECT_TRUE(fs::exists(folder_ / "part/.part/letter.txt"));
}

}  // namespace
}  // namespace kani
