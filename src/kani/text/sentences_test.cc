// sentences_test.cc - where sentences end.
#include <gtest/gtest.h>

#include "kani/text/text.h"

namespace kani {
namespace {

using Sentences = std::vector<std::string>;

Sentences sentences(std::string_view text, std::string_view language = "en") {
  Sentences out;
  size_t end = 0;
  for (const TextRange& range : split_sentences(text, language)) {
    EXPECT_LT(range.begin, range.end);
    EXPECT_GE(range.begin, end);
    EXPECT_EQ(text.substr(end, range.begin - end).find_first_not_of(" \t\r\n"),
              std::string_view::npos)
        << "something was left out";
    end = range.end;
    out.emplace_back(text.substr(range.begin, range.end - range.begin));
  }
  EXPECT_EQ(text.substr(end).find_first_not_of(" \t\r\n"), std::string_view::npos);
  return out;
}

TEST(Sentences, end_at_final_marks) {
  EXPECT_EQ(sentences("One. Two! Three? Four"), (Sentences{"One.", "Two!", "Three?", "Four"}));
  EXPECT_EQ(sentences("What?! No... Yes."), (Sentences{"What?!", "No...", "Yes."}));
  EXPECT_EQ(sentences("Well\u2026 Then he went."), (Sentences{"Well\u2026", "Then he went."}));
  EXPECT_EQ(sentences("well\u2026 then he went."), (Sentences{"well\u2026 then he went."}));
}

TEST(Sentences, survive_abbreviations) {
  for (const char* text :
       {"Dr. Smith met Prof. Jones.", "The U.S. Government said so.", "See e.g. Fig. 3 and No. 5.",
        "J. R. R. Tolkien wrote it.", "George W. Bush came.", "Mr. and Mrs. Smith vs. Jones.",
        "It is at 5 Main St. in town.", "Lt. Col. Brown, Ph.D. Candidate."}) {
    EXPECT_EQ(sentences(text), Sentences{text});
  }
}

TEST(Sentences, some_abbreviations_end_one_before_a_capital) {
  EXPECT_EQ(sentences("At 5 p.m. The room was No. 5. He paid Foo Inc. They left."),
            (Sentences{"At 5 p.m.", "The room was No. 5.", "He paid Foo Inc.", "They left."}));
  EXPECT_EQ(sentences("At 5 p.m. the room was empty."), Sentences{"At 5 p.m. the room was empty."});
  EXPECT_EQ(sentences("He said no. Then etc. And so on."),
            (Sentences{"He said no.", "Then etc.", "And so on."}));
  EXPECT_EQ(sentences("It was I. Then we left."), (Sentences{"It was I.", "Then we left."}));
}

TEST(Sentences, survive_numbers) {
  EXPECT_EQ(sentences("It costs 3.50. On page 3. 5 men came."),
            (Sentences{"It costs 3.50.", "On page 3. 5 men came."}));
  EXPECT_EQ(sentences("In 1984. 20 years later."), (Sentences{"In 1984.", "20 years later."}));
  EXPECT_EQ(sentences("1. First item"), Sentences{"1. First item"});
}

TEST(Sentences, survive_addresses) {
  EXPECT_EQ(sentences("Go to https://a.com/x.Y?b=C! Then see example.com. Done."),
            (Sentences{"Go to https://a.com/x.Y?b=C!", "Then see example.com.", "Done."}));
}

TEST(Sentences, keep_quotes_and_brackets) {
  EXPECT_EQ(sentences("\"Stop!\" he said. \"Really?\" She left."),
            (Sentences{"\"Stop!\" he said.", "\"Really?\"", "She left."}));
  EXPECT_EQ(sentences("He (yes.) went. (All of it.) Then \u201COh.\u201D He sat."),
            (Sentences{"He (yes.) went.", "(All of it.)", "Then \u201COh.\u201D", "He sat."}));
}

TEST(Sentences, german) {
  EXPECT_EQ(
      sentences("Das ist z. B. gut. Am 3. Mai kam er. Es waren 3. Dann ging er. Das usw. Dann.",
                "de"),
      (Sentences{"Das ist z. B. gut.", "Am 3. Mai kam er.", "Es waren 3.", "Dann ging er.",
                 "Das usw.", "Dann."}));
  EXPECT_EQ(sentences("Er rief: „Halt!“ Dann kam Dr. Müller.", "de"),
            (Sentences{"Er rief: „Halt!“", "Dann kam Dr. Müller."}));
}

TEST(Sentences, russian) {
  EXPECT_EQ(
      sentences("В 2024 г. он жил на ул. Ленина, д. 5. А. С. Пушкин и т. д. Потом. Да.", "ru"),
      (Sentences{"В 2024 г. он жил на ул. Ленина, д. 5.", "А. С. Пушкин и т. д.", "Потом.",
                 "Да."}));
}

TEST(Sentences, text_without_spaces) {
  EXPECT_EQ(sentences("你好。我是谁？太好了！“真的吗？”他说。然后……他走了。3.5元。", "zh"),
            (Sentences{"你好。", "我是谁？", "太好了！", "“真的吗？”他说。", "然后……他走了。",
                       "3.5元。"}));
  EXPECT_EQ(sentences("これは本です。彼は「行くよ。」と言った。終わり！？はい。", "ja"),
            (Sentences{"これは本です。", "彼は「行くよ。」と言った。", "終わり！？", "はい。"}));
}

TEST(Sentences, other_final_marks) {
  EXPECT_EQ(sentences("मैं ठीक हूँ। आप कैसे हैं? हाँ।", "hi"), (Sentences{"मैं ठीक हूँ।", "आप कैसे हैं?", "हाँ।"}));
  EXPECT_EQ(sentences("كيف حالك؟ أنا بخير.", "ar"), (Sentences{"كيف حالك؟", "أنا بخير."}));
}

TEST(Sentences, line_breaks) {
  EXPECT_EQ(sentences("Hello world\nno mark\n\nNext paragraph\r\n\r\nEnd"),
            (Sentences{"Hello world\nno mark", "Next paragraph", "End"}));
  EXPECT_EQ(sentences("# Heading\nText here\n- one\n- two"),
            (Sentences{"# Heading", "Text here", "- one", "- two"}));
}

TEST(Sentences, of_nothing_are_none) {
  EXPECT_TRUE(sentences("").empty());
  EXPECT_TRUE(sentences(" \n\t \r\n").empty());
}

TEST(Sentences, of_invalid_utf8_are_ranges_of_the_bytes) {
  EXPECT_EQ(sentences("a\xFF. B\xC0"), (Sentences{"a\xFF.", "B\xC0"}));
}

}  // namespace
}  // namespace kani
