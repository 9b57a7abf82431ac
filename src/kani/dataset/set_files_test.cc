// A set takes another's place, wherever the process ends.
#include "kani/dataset/set_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kani/base/error.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class SetFiles : public testing::Test {
 protected:
  void write_stage(const std::string& text, size_t shards) {
    fs::remove_all(folder_ / "out/work/set");
    for (size_t i = 0; i < shards; ++i) {
      folder_.write(concat("out/work/set/", shard_name(Split::kTrain, i, shards), ".kshard"),
                    concat(text, i));
    }
    folder_.write("out/work/set/set.json", text);
    folder_.write("out/work/set/report/sample-1.wav", text);
  }
  /// Ends the process before change `stop`; true if there were not so many.
  bool publish_until(size_t stop) {
    const pid_t child = fork();
    if (child == 0) {
      size_t changes = 0;
      publish_set(stage(), out(), [&] {
        if (changes++ == stop) _exit(1);
      });
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status) == 0;
  }
  fs::path out() const { return folder_ / "out"; }
  fs::path stage() const { return folder_ / "out/work/set"; }

  RecordFolder folder_;
};

TEST_F(SetFiles, wherever_it_is_killed_there_is_the_old_set_the_new_one_or_none_until_the_next) {
  write_stage("old", 3);
  publish_set(stage(), out());
  const auto old_set = read_set_manifest(out());
  folder_.write("out/notes.txt", "mine");
  size_t old_ones = 0, none = 0;
  for (size_t stop = 0;; ++stop) {
    ASSERT_LT(stop, 100U);
    write_stage("old", 3);
    publish_set(stage(), out());
    write_stage("new", 2);
    const bool ended = publish_until(stop);
    if (!fs::exists(out() / "MANIFEST")) {
      ++none;
    } else {
      EXPECT_EQ(verify_set(out()), read_set_manifest(out()).size());
      old_ones += read_set_manifest(out()) == old_set ? 1 : 0;
    }
    write_stage("new", 2);
    publish_set(stage(), out());
    EXPECT_EQ(verify_set(out()), 4U);
    EXPECT_FALSE(fs::exists(out() / ".part"));
    if (ended) break;
  }
  EXPECT_GE(old_ones, 2U);
  EXPECT_GE(none, 5U);
  EXPECT_TRUE(fs::exists(out() / "notes.txt"));
}

TEST_F(SetFiles, what_cannot_be_put_in_place_leaves_the_old_set) {
  write_stage("old", 2);
  fs::remove_all(stage() / "report");
  publish_set(stage(), out());
  folder_.write("out/report", "a file in the way");
  write_stage("new", 2);
  EXPECT_THROW(publish_set(stage(), out()), Error);
  EXPECT_EQ(verify_set(out()), 3U);
}

TEST_F(SetFiles, only_names_of_sets_are_the_sets) {
  for (const char* name : {"train-00000-of-00002.kshard", "test-00001-of-00002.parquet",
                           "clips-00000.kshard", "report/sample-12.wav", "set.json", "MANIFEST"})
    EXPECT_TRUE(is_set_file(name)) << name;
  for (const char* name : {"train-mine.parquet", "train-1.kshard", "a.wav", "report/notes.txt",
                           "report/sample-.wav", "train-1-of-2.kshard.old", "work/set.json", ""})
    EXPECT_FALSE(is_set_file(name)) << name;
}

}  // namespace
}  // namespace kani
