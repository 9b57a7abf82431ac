#include "kani/base/error.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

TEST(Error, message_is_its_parts_in_a_row) {
  const Error error(ErrorCode::kBadInput, "tensor ", std::string("w"), " has ", 3, " bytes, ", 1.5);
  EXPECT_STREQ(error.what(), "tensor w has 3 bytes, 1.5");
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
}

TEST(Error, hint_travels_with_the_error) {
  try {
    throw Error(ErrorCode::kNotFound, "no model").with_hint("use -m");
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "use -m");
  }
}

TEST(Error, exit_statuses_follow_the_documented_table) {
  EXPECT_EQ(exit_status(ErrorCode::kInternal), 1);
  EXPECT_EQ(exit_status(ErrorCode::kInvalidArgument), 2);
  EXPECT_EQ(exit_status(ErrorCode::kBadInput), 3);
  EXPECT_EQ(exit_status(ErrorCode::kUnsupported), 3);
  EXPECT_EQ(exit_status(ErrorCode::kNotFound), 4);
  EXPECT_EQ(exit_status(ErrorCode::kCannotWrite), 5);
  EXPECT_EQ(exit_status(ErrorCode::kBusy), 7);
  EXPECT_EQ(exit_status(ErrorCode::kCancelled), 130);
}

TEST(Error, printable_keeps_a_message_on_one_line) {
  EXPECT_EQ(printable("a\nb\x01"), "a\\nb\\x01");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(printable("ab\xC3\xA4\xC3\xA4", 3), "ab…");  // never half a character
}

}  // namespace
}  // namespace kani
