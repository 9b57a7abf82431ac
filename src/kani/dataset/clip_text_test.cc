// Texts of records: what is refused and why, and that what passed passes again unchanged.
#include "kani/dataset/clip_text.h"

#include <gtest/gtest.h>

#include <span>

#include "kani/base/sha256.h"

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

// Units and shards know the texts that they were made of by this version alone.
TEST(ClipText, a_front_end_that_gives_other_texts_has_another_version) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"en", "Dr. Smith’s cat… cost $5.50 on 3/4/1984 — 10% off!"},
      {"en", " e\xCC\x81té\r\n“quoted”\xC2\xA0(x) [y] *z* A&B a@b.org "},
      {"es", "¿Cuánto cuestan 21 libros? Sr. López: 3,5 kg."},
      {"de", "Am 3. Mai kosteten 1.000 Stück 2,50 €, z. B. hier."},
      {"ru", "В 1984 году 5 домов."},
      {"", "No language: 7 http://a.b/c #tag 1st 2nd XIV 12:30"}};
  std::string all;
  for (const bool expand : {false, true}) {
    for (const auto& [language, raw] : kTexts) {
      ClipText text;
      EXPECT_FALSE(prepare_text(raw, language, {.expand = expand}, {}, text)) << raw;
      all += text.text + "\n";
    }
  }
  EXPECT_TRUE(text_rules({}).starts_with("kani front end 1, "));
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span(all))),
            "525f1a81d2d3c19e90103a90ec37f2a0df3e9ff873004009406f85f3776f5d9c")
      << "raise kFrontEndVersion of clip_text.cc, and write both here:\n"
      << all;
}

TEST(ClipText, speech_rate_has_two_bounds) {
  const ClipText text{.text = "x", .characters = 40, .spoken = 40};
  EXPECT_FALSE(check_speech_rate(text, 2, {}));
  EXPECT_TRUE(check_speech_rate(text, 11, {}));
  EXPECT_TRUE(check_speech_rate(text, 1, {}));
}

}  // namespace
}  // namespace kani
