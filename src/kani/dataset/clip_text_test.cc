// Texts of records: what is refused and why, and that what passed passes again unchanged.
#include "kani/dataset/clip_text.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

std::string outcome(std::string_view raw, std::string_view language = "en") {
  ClipText text;
  const auto reject = prepare_text(raw, language, {}, {}, text);
  return reject ? std::string(reject_name(reject->reason)) : "";
}

TEST(ClipText, each_fault_has_its_reason) {
  EXPECT_EQ(outcome("Good morning."), "");
  EXPECT_EQ(outcome(""), "text_missing");
  EXPECT_EQ(outcome(" \t\n\xC2\xA0"), "text_missing");
  EXPECT_EQ(outcome("caf\xE9"), "text_encoding");
  EXPECT_EQ(outcome("a\x07z"), "text_control");
  EXPECT_EQ(outcome("... \xE2\x80\xA6 !"), "text_unspeakable");
  EXPECT_EQ(outcome(std::string(1001, 'a')), "text_length");
  EXPECT_EQ(outcome(std::string(1000, 'a')), "");
  EXPECT_EQ(outcome("Доброе утро", "en"), "text_script");
  EXPECT_EQ(outcome("Доброе утро", "ru"), "");
  EXPECT_EQ(outcome("Мы смотрели фильм Titanic вчера вечером", "ru_RU"), "");
  EXPECT_EQ(outcome("東京へ行きます", "ja"), "");
  EXPECT_EQ(outcome("Доброе утро", ""), "");
}

TEST(ClipText, what_passed_passes_again_unchanged) {
  for (const char* raw : {"It cost $5 in 1984.", "one\ntwo\n\nthree",
                          "  \xE2\x80\x9Cquoted\xE2\x80\x9D  "
                          "x",
                          "e\xCC\x81t\xC3\xA9", "Mr. Smith, 3/4 of 10%..."}) {
    ClipText once, twice;
    ASSERT_FALSE(prepare_text(raw, "en", {}, {}, once)) << raw;
    ASSERT_FALSE(prepare_text(once.text, "en", {}, {}, twice)) << raw;
    EXPECT_EQ(once.text, twice.text);
    EXPECT_EQ(once.text.find('\n'), std::string::npos);
  }
}

TEST(ClipText, numbers_become_words_only_when_asked) {
  ClipText text;
  ASSERT_FALSE(prepare_text("5 apples", "en", {}, {}, text));
  EXPECT_EQ(text.text, "5 apples");
  ASSERT_FALSE(prepare_text("5 apples", "en", {.expand = true}, {}, text));
  EXPECT_EQ(text.text, "five apples");
  EXPECT_NE(text_rules({}), text_rules({.expand = true}));
}

TEST(ClipText, speech_rate_has_two_bounds) {
  const ClipText text{.text = "x", .characters = 40, .spoken = 40};
  EXPECT_FALSE(check_speech_rate(text, 2, {}));
  EXPECT_TRUE(check_speech_rate(text, 11, {}));
  EXPECT_TRUE(check_speech_rate(text, 1, {}));
}

}  // namespace
}  // namespace kani
