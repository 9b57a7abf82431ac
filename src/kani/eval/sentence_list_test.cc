// Lists of sentences.
#include "kani/eval/sentence_list.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani {
namespace {

std::vector<EvalSentence> parse(const std::string& text) {
  return parse_sentences(text, "list", "/sounds");
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return error.what();
  }
  return "none";
}

TEST(SentenceList, plain_lines_are_numbered) {
  const auto list = parse("\xEF\xBB\xBF  Hello there.\r\n\n\tSecond one\n");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].text, "Hello there.");
  EXPECT_EQ(list[0].id, "0001");
  EXPECT_EQ(list[1].text, "Second one");
  EXPECT_EQ(list[1].id, "0002");
}

TEST(SentenceList, json_lines_say_more) {
  const auto list = parse(
      R"({"id":"a-1","text":"Hola","language":"es","speaker":"ana","voice":"v","reference":"r.wav","recordings":["1.wav","/2.wav"],"set":"s"})"
      "\n"
      R"({"text":"Hello","reference":""})");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, "a-1");
  EXPECT_EQ(list[0].language, "es");
  EXPECT_EQ(list[0].speaker, "ana");
  EXPECT_EQ(list[0].voice, "v");
  EXPECT_EQ(list[0].reference, "/sounds/r.wav");
  EXPECT_EQ(list[0].recordings, (std::vector<std::filesystem::path>{"/sounds/1.wav", "/2.wav"}));
  EXPECT_EQ(list[0].set, "s");
  EXPECT_EQ(list[1].id, "0002");
  EXPECT_TRUE(list[1].reference.empty());
}

TEST(SentenceList, what_cannot_be_is_refused_with_its_line) {
  EXPECT_EQ(refusal(""), "list: no sentence in it");
  EXPECT_EQ(refusal("a\xFF"), "list: invalid UTF-8 at offset 1");
  EXPECT_EQ(refusal("{\"text\":\"a\"}\n{\"text\":\" \"}"),
            "list: line 2: text is missing or blank");
  EXPECT_EQ(refusal("{\"text\":3}"), "list: line 1: text is not a string");
  for (const char* recordings : {"\"a\"", "[1]", "[\"\"]", "null"}) {
    EXPECT_EQ(refusal(concat("{\"text\":\"a\",\"recordings\":", recordings, "}")),
              "list: line 1: recordings is not a list of paths")
        << recordings;
  }
  EXPECT_EQ(refusal("{\"text\":\"a\",\"txet\":\"b\"}"), "list: line 1: unknown key txet");
  EXPECT_NE(refusal("{\"text\":\"a\"}\nplain").find("line 2"), std::string::npos);
  for (const char* id : {"../x", ".x", "a/b", "a b", "-x"}) {
    EXPECT_NE(refusal(concat("{\"text\":\"a\",\"id\":\"", id, "\"}")).find("cannot name a file"),
              std::string::npos)
        << id;
  }
  EXPECT_EQ(refusal("{\"text\":\"a\",\"id\":\"x\"}\n{\"text\":\"b\",\"id\":\"X\"}"),
            "list: line 2: id X is there twice");
}

}  // namespace
}  // namespace kani
