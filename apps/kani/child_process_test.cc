// Programs of others.
#include "apps/kani/child_process.h"

#include <gtest/gtest.h>

#include "apps/kani/signals.h"
#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

using Words = std::vector<std::string>;

Deadline in(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

TEST(SplitCommand, words_are_parted_as_people_write_them) {
  EXPECT_EQ(split_command("a  b\tc", "--x"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_command("'a b' \"c d\" e\\ f", "--x"), (Words{"a b", "c d", "e f"}));
  EXPECT_EQ(split_command("a '' \"x'y\" 'p\\q' \"r\\\"s\"", "--x"),
            (Words{"a", "", "x'y", "p\\q", "r\"s"}));
  EXPECT_EQ(split_command("a $HOME * | b", "--x"), (Words{"a", "$HOME", "*", "|", "b"}));
}

TEST(SplitCommand, what_is_no_command_is_refused) {
  EXPECT_THROW(split_command("  ", "--x"), Error);
  EXPECT_THROW(split_command("a 'b", "--x"), Error);
  EXPECT_THROW(split_command("''", "--x"), Error);
}

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(ChildProcess, answers_line_by_line) {
  ChildProcess cat({"cat"}, "/dev/null");
  cat.write_line("one", in(20));
  EXPECT_EQ(cat.read_line(in(20)), "one");
  cat.write_line("two", in(20));
  EXPECT_EQ(cat.read_line(in(20)), "two");
  cat.close_input();
  EXPECT_EQ(cat.read_rest(in(20)), "");
}

TEST(ChildProcess, gives_all_it_prints_until_its_end) {
  ChildProcess echo({"echo", "a b"}, "/dev/null");
  echo.close_input();
  EXPECT_EQ(echo.read_rest(in(20)), "a b\n");
}

TEST(ChildProcess, failures_are_told_apart) {
  EXPECT_EQ(code_of([] { ChildProcess no({"/no/such/program"}, "/dev/null"); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(code_of([] {
              ChildProcess fails({"sh", "-c", "echo x; exit 3"}, "/dev/null");
              fails.read_rest(in(20));
            }),
            ErrorCode::kBadInput);
  EXPECT_EQ(code_of([] {
              ChildProcess ends({"true"}, "/dev/null");
              ends.read_line(in(20));
            }),
            ErrorCode::kBadInput);
}

TEST(ChildProcess, what_takes_too_long_is_ended_with_its_children) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of([] {
              ChildProcess slow({"sh", "-c", "sleep 600 & sleep 600"}, "/dev/null");
              slow.read_line(in(0.3));
            }),
            ErrorCode::kBusy);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace kani::cli
