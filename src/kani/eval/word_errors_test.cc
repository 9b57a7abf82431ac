// Edit distance of words and characters.
#include "kani/eval/word_errors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "kani/base/random.h"

namespace kani {
namespace {

using Words = std::vector<std::string>;

TEST(WordErrors, each_kind_is_counted) {
  const EditCounts counts = word_errors(Words{"the", "old", "clock", "strikes", "nine"},
                                        Words{"the", "clock", "likes", "nine", "now"});
  EXPECT_EQ(counts.length, 5U);
  EXPECT_EQ(counts.deletions, 1U);
  EXPECT_EQ(counts.substitutions, 1U);
  EXPECT_EQ(counts.insertions, 1U);
  EXPECT_DOUBLE_EQ(counts.rate(), 0.6);
}

TEST(WordErrors, empty_texts_have_rates_too) {
  EXPECT_DOUBLE_EQ(word_errors({}, {}).rate(), 0);
  EXPECT_DOUBLE_EQ(word_errors({}, Words{"a", "b"}).rate(), 2);
  EXPECT_DOUBLE_EQ(word_errors(Words{"a", "b"}, {}).rate(), 1);
}

TEST(WordErrors, the_way_names_each_word_once_and_in_order) {
  const Words spoken = {"we", "walked", "home"}, heard = {"we", "all", "walked", "on"};
  const std::vector<EditStep> steps = align_words(spoken, heard);
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[0].edit, Edit::kSame);
  EXPECT_EQ(steps[1].edit, Edit::kAdded);
  EXPECT_EQ(heard[steps[1].heard], "all");
  EXPECT_EQ(steps[2].edit, Edit::kSame);
  EXPECT_EQ(steps[3].edit, Edit::kReplaced);
  EXPECT_EQ(spoken[steps[3].spoken], "home");
  EXPECT_EQ(heard[steps[3].heard], "on");
}

TEST(WordErrors, characters_are_code_points) {
  EXPECT_EQ(character_errors(U"señor", U"senor").errors(), 1U);
  EXPECT_EQ(character_errors(U"kitten", U"sitting").errors(), 3U);
}

// The definition itself, slow: the least over the first step's three choices.
size_t plain_distance(std::u32string_view a, std::u32string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  return std::min({plain_distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1),
                   plain_distance(a.substr(1), b) + 1, plain_distance(a, b.substr(1)) + 1});
}

TEST(WordErrors, the_number_is_the_least_there_is) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::u32string a, b;
    for (uint64_t n = random.next_u64() % 7; n > 0; --n) a += U"abc"[random.next_u64() % 3];
    for (uint64_t n = random.next_u64() % 7; n > 0; --n) b += U"abc"[random.next_u64() % 3];
    const EditCounts counts = character_errors(a, b);
    EXPECT_EQ(counts.errors(), plain_distance(a, b));
    EXPECT_EQ(a.size() + counts.insertions, b.size() + counts.deletions);
  }
}

}  // namespace
}  // namespace kani
