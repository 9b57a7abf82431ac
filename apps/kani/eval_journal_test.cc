// What an evaluation remembers.
#include "apps/kani/eval_journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

class Journals : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "journalXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path path() const { return folder_ / "progress.jsonl"; }

  std::filesystem::path folder_;
};

TEST_F(Journals, what_was_added_is_found_by_the_next_process) {
  {
    EvalJournal journal(path());
    EXPECT_FALSE(journal.find("a"));
    journal.add("a", "heard text");
    journal.add("b", {{"x", 1}});
    journal.add("a", "heard again");
  }
  const EvalJournal journal(path());
  EXPECT_EQ(journal.find("a").value(), "heard again");
  EXPECT_EQ(journal.find("b").value()["x"], 1);
}

TEST_F(Journals, a_torn_line_and_foreign_lines_are_skipped) {
  std::ofstream(path()) << "{\"key\":\"a\",\"value\":1}\nnonsense\n[]\n{\"key\":2,\"value\":3}\n"
                           "{\"key\":\"b\",\"val";
  {
    EvalJournal journal(path());
    EXPECT_EQ(journal.find("a").value(), 1);
    EXPECT_FALSE(journal.find("b"));
    journal.add("c", 5);
  }
  EXPECT_EQ(EvalJournal(path()).find("c").value(), 5);
}

TEST_F(Journals, one_process_at_a_time) {
  const EvalJournal journal(path());
  try {
    const EvalJournal second(path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
  }
}

TEST(EvalJournalKeys, differ_with_what_they_depend_on) {
  EXPECT_EQ(key_of({{"a", 1}, {"b", 2}}), key_of({{"b", 2}, {"a", 1}}));
  EXPECT_NE(key_of({{"a", 1}}), key_of({{"a", 2}}));
  EXPECT_EQ(key_of({{"a", 1}}).size(), 64U);
}

}  // namespace
}  // namespace kani::cli
