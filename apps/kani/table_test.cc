// table_test.cc - rows as text, Markdown and CSV; sizes for people.
#include "apps/kani/table.h"

#include <gtest/gtest.h>

namespace kani::cli {
namespace {

TEST(Table, columns_are_as_wide_as_their_widest_cell) {
  EXPECT_EQ(plain_table({{"a", "bb"}, {"ccc", "±"}, {"d", ""}}), "a    bb\nccc  ±\nd\n");
  EXPECT_EQ(markdown_table({{"a", "b"}, {"1 ± 2", "x"}}),
            "| a     | b |\n|-------|---|\n| 1 ± 2 | x |\n");
}

TEST(Table, csv_quotes_what_needs_it) {
  EXPECT_EQ(csv_table({{"a", "b,c", "d\"e", "f\ng"}}), "a,\"b,c\",\"d\"\"e\",\"f\ng\"\r\n");
}

TEST(Table, sizes_have_three_or_four_digits) {
  EXPECT_EQ(byte_size(0), "0 bytes");
  EXPECT_EQ(byte_size(999), "999 bytes");
  EXPECT_EQ(byte_size(1000), "1.0 kB");
  EXPECT_EQ(byte_size(999949), "999.9 kB");
  EXPECT_EQ(byte_size(999950), "1.0 MB");
  EXPECT_EQ(byte_size(UINT64_MAX), "18446744.1 TB");
  EXPECT_EQ(count_size(370'123'456), "370.1 M");
}

}  // namespace
}  // namespace kani::cli
