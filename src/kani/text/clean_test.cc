// clean_test.cc - Unicode hygiene and the meaning of line breaks.
#include <gtest/gtest.h>

#include "kani/text/text.h"

namespace kani {
namespace {

std::string cleaned(std::string_view text) {
  return normalize_text(text, {.spell_numbers = false});
}

TEST(Clean, composes_and_drops_what_cannot_be_seen) {
  EXPECT_EQ(cleaned("cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(cleaned("e\u200B\u0301"), "\u00E9");       // a dropped character between
  EXPECT_EQ(cleaned("\u212B\u2126"), "\u00C5\u03A9");  // singletons
  EXPECT_EQ(cleaned("so\u00ADft a\u202Eb\u202C c\uFEFFd e\u2060f"), "soft ab cd ef");
  EXPECT_EQ(cleaned(std::string_view("a\0b\x07"
                                     "c\x7F",
                                     6)),
            "abc");
  EXPECT_EQ(cleaned("well\u2011known"), "well-known");
}

TEST(Clean, joiners_stay_only_where_a_script_needs_them) {
  EXPECT_EQ(cleaned("\u0646\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645"),
            "\u0646\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645");  // Persian
  EXPECT_EQ(cleaned("\u0915\u094D\u200D\u0937"), "\u0915\u094D\u200D\u0937");
  EXPECT_EQ(cleaned("a\u200Cb\u200Dc"), "abc");
}

TEST(Clean, pictures_leave_a_space) {
  EXPECT_EQ(cleaned("I\u2764\uFE0Fyou"), "I you");
  EXPECT_EQ(cleaned("hi \U0001F468\u200D\U0001F469\u200D\U0001F467 there"), "hi there");
  EXPECT_EQ(cleaned("5\uFE0F\u20E3 \U0001F1E9\U0001F1EA \u2500\u2502 x"), "5 x");
  EXPECT_EQ(cleaned("a\uE000b\uFFFDc\uFDD0d"), "a b c d");
  EXPECT_EQ(cleaned("\u00A9 2024 \u2122"), "\u00A9 2024 \u2122");
}

TEST(Clean, invalid_bytes_are_spaces) {
  EXPECT_EQ(cleaned("a\xFF\xC0"
                    "b"),
            "a b");
}

TEST(Clean, white_space_is_folded) {
  EXPECT_EQ(cleaned("  a \t\u3000 b\u00A0c  "), "a b c");
  EXPECT_EQ(cleaned(" \t "), "");
}

TEST(Clean, combining_marks_are_limited) {
  std::string text = "a";
  for (int i = 0; i < 1000; ++i) text += "\u0316";
  EXPECT_EQ(cleaned(text).size(), 1 + 30 * 2u);
}

TEST(Lines, blank_lines_part_paragraphs_whatever_the_line_break) {
  for (const char* mark :
       {"\n\n", "\r\n\r\n", "\n \t\n\n\n", "\r\r", "\u2029", "\f", "\u0085\u0085", "\v\v"}) {
    EXPECT_EQ(cleaned("One" + std::string(mark) + "two"), "One\n\ntwo") << mark;
  }
}

TEST(Lines, wrapped_lines_are_joined) {
  EXPECT_EQ(cleaned("the quick brown fox\njumps over"), "the quick brown fox jumps over");
  EXPECT_EQ(
      cleaned("It was a long line of text that somebody had wrapped in London or\n"
              "Paris or elsewhere at about seventy columns, as people used to do in\n"
              "the old days."),
      "It was a long line of text that somebody had wrapped in London or Paris or elsewhere at "
      "about seventy columns, as people used to do in the old days.");
  EXPECT_EQ(cleaned("well-\nknown"), "well-known");
  EXPECT_EQ(cleaned("今天，\n天气"), "今天，天气");
  EXPECT_EQ(cleaned("First,\nSecond"), "First, Second");
}

TEST(Lines, headings_lists_and_verse_keep_their_lines) {
  EXPECT_EQ(
      cleaned("Chapter One\nIt was a dark and stormy night; the rain fell in torrents, except at "
              "occasional intervals"),
      "Chapter One\nIt was a dark and stormy night; the rain fell in torrents, except at "
      "occasional intervals");
  EXPECT_EQ(cleaned("buy:\n- milk\n* eggs\n\u2022 salt\n1. go\n2) pay"),
            "buy:\nmilk\neggs\nsalt\n1. go\n2) pay");
  EXPECT_EQ(cleaned("Two roads diverged\nAnd sorry I could\nAnd be one"),
            "Two roads diverged\nAnd sorry I could\nAnd be one");
  EXPECT_EQ(cleaned("one\u2028two"), "one\ntwo");
}

}  // namespace
}  // namespace kani
