// ranges_test.cc - the number lists of `kani bench`.
#include "apps/kani/ranges.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

using List = std::vector<int>;

TEST(Ranges, lists_and_ranges_as_in_llama_bench) {
  EXPECT_EQ(parse_ranges("-p", "64", 0, 100), (List{64}));
  EXPECT_EQ(parse_ranges("-p", "1,4,2", 0, 100), (List{1, 4, 2}));
  EXPECT_EQ(parse_ranges("-p", "2-4", 0, 100), (List{2, 3, 4}));
  EXPECT_EQ(parse_ranges("-p", "0-30+10", 0, 100), (List{0, 10, 20, 30}));
  EXPECT_EQ(parse_ranges("-p", "1-20*3", 0, 100), (List{1, 3, 9}));
  EXPECT_EQ(parse_ranges("-p", "7,1-2,16-64*2", 0, 100), (List{7, 1, 2, 16, 32, 64}));
}

TEST(Ranges, everything_else_is_refused) {
  for (const char* text : {"", ",", "1,", "x", "1-", "-1", "3-1", "1-3+0", "1-3*1", "0-3*2", "101",
                           "1-101", "1.5", "1-2-3", "0-99"}) {
    EXPECT_THROW(parse_ranges("-p", text, 0, 100), Error) << text;
  }
}

}  // namespace
}  // namespace kani::cli
