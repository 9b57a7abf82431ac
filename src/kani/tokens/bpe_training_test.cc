// bpe_training_test.cc - merges of texts that can be counted by hand, ties, order, pieces.
#include "kani/tokens/bpe_training.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kani {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

Merges merges_of(const std::vector<std::string>& texts, size_t count) {
  PieceCounts pieces(SplitRule::kLlama3);
  for (const std::string& text : texts) pieces.add(text);
  return train_merges(pieces, count);
}

TEST(BpeTraining, the_most_frequent_pair_comes_first) {
  // "low" x 3, " low" x 2: lo and ow are there 5 times each (lo has the earlier parts), then
  // lo-w 5 times, then " "-low twice.
  EXPECT_EQ(merges_of({"low low", "low low", "low"}, 10),
            (Merges{{"l", "o"}, {"lo", "w"}, {" ", "low"}}));
}

TEST(BpeTraining, counts_follow_what_was_merged_before) {
  // ab 4 times, bc 3 times; once ab is one, bc is left once (in "bc") and ab-c twice.
  EXPECT_EQ(merges_of({"abc", "abc", "bc", "ab", "ab"}, 10), (Merges{{"a", "b"}, {"ab", "c"}}));
}

TEST(BpeTraining, runs_of_one_letter_merge_from_the_left) {
  EXPECT_EQ(merges_of({"aaaaa", "aaaaa"}, 2), (Merges{{"a", "a"}, {"aa", "a"}}));
}

TEST(BpeTraining, the_order_of_texts_says_nothing) {
  std::vector<std::string> texts{"one two three",         "two three four",  "three four five",
                                 "Mañana será otro día.", "12345 and 12345", "it's what it's"};
  const Merges first = merges_of(texts, 100);
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(merges_of(texts, 100), first);
  EXPECT_GT(first.size(), 10u);
}

TEST(BpeTraining, pairs_do_not_reach_over_pieces) {
  for (const auto& [left, right] : merges_of({"a b a b a b 123456 123456"}, 100)) {
    const std::string whole = left + right;
    EXPECT_EQ(whole.find(' ', 1), std::string::npos) << whole;
    EXPECT_LE(whole.size(), 3u) << whole;
  }
}

TEST(BpeTraining, no_more_than_asked_for_and_none_of_nothing) {
  EXPECT_EQ(merges_of({"low low low low"}, 2).size(), 2u);
  EXPECT_TRUE(merges_of({}, 10).empty());
  EXPECT_TRUE(merges_of({"x", "y"}, 10).empty());
}

}  // namespace
}  // namespace kani
