// split_test.cc - pieces of both split rules, rule by rule.
#include "kani/tokens/split.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kani {
namespace {

std::vector<std::string> cut(SplitRule rule, std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const size_t length = first_piece(rule, text);
    pieces.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}
using Pieces = std::vector<std::string>;
Pieces llama(std::string_view text) { return cut(SplitRule::kLlama3, text); }
Pieces gpt2(std::string_view text) { return cut(SplitRule::kGpt2, text); }

TEST(SplitLlama3, contractions_come_off_in_any_case) {
  EXPECT_EQ(llama("it's"), (Pieces{"it", "'s"}));
  EXPECT_EQ(llama("WE'LL they'Re"), (Pieces{"WE", "'LL", " they", "'Re"}));
  EXPECT_EQ(llama("it'ſx"), (Pieces{"it", "'ſ", "x"}));  // long s folds to s
  EXPECT_EQ(llama("'lx"), (Pieces{"'lx"}));  // no contraction: an apostrophe before letters
  EXPECT_EQ(llama("x'v"), (Pieces{"x", "'v"}));
  EXPECT_EQ(llama("'l"), (Pieces{"'l"}));
  EXPECT_EQ(llama("'"), (Pieces{"'"}));
}

TEST(SplitLlama3, one_other_character_joins_the_letters_behind_it) {
  EXPECT_EQ(llama("a b\tc-d"), (Pieces{"a", " b", "\tc", "-d"}));
  EXPECT_EQ(llama("--d"),
            (Pieces{"--", "d"}));  // the first hyphen is followed by no letter: rule 4
  EXPECT_EQ(llama("1a\nb"), (Pieces{"1", "a", "\n", "b"}));
  EXPECT_EQ(llama("\u00A0\u00E9"), (Pieces{"\u00A0\u00E9"}));
}

TEST(SplitLlama3, digits_come_in_threes) {
  EXPECT_EQ(llama("1234567"), (Pieces{"123", "456", "7"}));
  EXPECT_EQ(llama("\u0661\u0662\u0663\u0664"), (Pieces{"\u0661\u0662\u0663", "\u0664"}));
}

TEST(SplitLlama3, marks_take_one_blank_before_and_newlines_behind) {
  EXPECT_EQ(llama("a ?!\r\n\nb"), (Pieces{"a", " ?!\r\n\n", "b"}));
  EXPECT_EQ(llama("a  ?"), (Pieces{"a", " ", " ?"}));
  EXPECT_EQ(llama("\U0001F600\u0301x"), (Pieces{"\U0001F600\u0301", "x"}));
}

TEST(SplitLlama3, white_space_ends_at_the_last_newline_and_leaves_one_for_the_next_piece) {
  EXPECT_EQ(llama("a \n \n  b"), (Pieces{"a", " \n \n", " ", " b"}));
  EXPECT_EQ(llama("a   b"), (Pieces{"a", "  ", " b"}));
  EXPECT_EQ(llama("a   "), (Pieces{"a", "   "}));
  EXPECT_EQ(llama(" 1"), (Pieces{" ", "1"}));
  EXPECT_EQ(llama("a\u3000\u30001"), (Pieces{"a", "\u3000", "\u3000", "1"}));
}

TEST(SplitGpt2, the_rule_of_gpt2_differs_where_it_should) {
  EXPECT_EQ(gpt2("it's WE'LL"), (Pieces{"it", "'s", " WE", "'", "LL"}));
  EXPECT_EQ(gpt2("a-b 1234567"), (Pieces{"a", "-", "b", " 1234567"}));
  EXPECT_EQ(gpt2("a \n\n b"), (Pieces{"a", " \n\n", " b"}));
  EXPECT_EQ(gpt2("a\tb  c "), (Pieces{"a", "\t", "b", " ", " c", " "}));
  EXPECT_EQ(gpt2("x ?!\n"), (Pieces{"x", " ?!", "\n"}));
}

TEST(Split, a_long_run_is_cut_in_linear_time) {
  for (const std::string unit : {"a", "1", " ", "\n", "?", " \n", "'s", " ?", "\u3000"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    for (const SplitRule rule : {SplitRule::kLlama3, SplitRule::kGpt2}) {
      size_t bytes = 0;
      for (std::string_view rest = text; !rest.empty();) {
        const size_t length = first_piece(rule, rest);
        bytes += length;
        rest.remove_prefix(length);
      }
      EXPECT_EQ(bytes, text.size());
    }
  }
}

}  // namespace
}  // namespace kani
