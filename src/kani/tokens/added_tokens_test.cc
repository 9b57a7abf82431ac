// added_tokens_test.cc - which of several matches counts, and what is no match.
#include "kani/tokens/added_tokens.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

std::vector<std::array<size_t, 3>> all(const AddedTokenMatcher& matcher, std::string_view text) {
  std::vector<std::array<size_t, 3>> out;
  size_t from = 0;
  while (const auto match = matcher.find(text, from)) {
    out.push_back({match->begin, match->length, static_cast<size_t>(match->id)});
    from = match->begin + match->length;
  }
  return out;
}
using Matches = std::vector<std::array<size_t, 3>>;

TEST(AddedTokens, the_longest_of_the_leftmost_matches_counts) {
  const AddedTokenMatcher matcher({{"<a>", 1}, {"<a>b", 2}, {"<a>bcd", 3}, {"b", 4}});
  EXPECT_EQ(all(matcher, "x<a>bcb<a>"), (Matches{{1, 4, 2}, {6, 1, 4}, {7, 3, 1}}));
  EXPECT_EQ(all(matcher, "<a>bcd"), (Matches{{0, 6, 3}}));
}

TEST(AddedTokens, beginnings_of_tokens_do_not_match) {
  const AddedTokenMatcher matcher(
      {{"<custom_token_1>", 1}, {"<custom_token_10>", 2}, {"\xC3\xA9", 3}});
  EXPECT_EQ(all(matcher, "<custom_token_<custom_token_10><custom_token_1"), (Matches{{14, 17, 2}}));
  EXPECT_EQ(all(matcher, "\xC3\xA8\xC3\xA9"), (Matches{{2, 2, 3}}));
  EXPECT_TRUE(all(matcher, "").empty());
}

TEST(AddedTokens, without_tokens_nothing_matches) {
  EXPECT_TRUE(all(AddedTokenMatcher(), "<a>").empty());
  EXPECT_TRUE(all(AddedTokenMatcher(std::vector<AddedTokenMatcher::Token>()), "<a>").empty());
}

}  // namespace
}  // namespace kani
