// utterances_test.cc - the fields of a line of --json-input.
#include "apps/kani/utterances.h"

#include <gtest/gtest.h>

namespace kani::cli {
namespace {

TEST(JsonUtterance, has_all_fields) {
  const Utterance u = parse_json_utterance(
      R"({"text":"é","voice":"a","output_file":"o.wav","speed":0.5,"seed":18446744073709551615,"language":"en"})",
      "t");
  EXPECT_EQ(u.text, "é");
  EXPECT_EQ(u.voice, "a");
  EXPECT_EQ(u.output_file, "o.wav");
  EXPECT_EQ(u.speed, 0.5);
  EXPECT_EQ(u.seed, UINT64_MAX);
  EXPECT_EQ(u.language, "en");
}

TEST(JsonUtterance, absent_fields_are_absent) {
  const Utterance u = parse_json_utterance(R"({"text":"x","seed":-1})", "t");
  EXPECT_FALSE(u.voice || u.output_file || u.speed || u.seed || u.language);
}

TEST(JsonUtterance, pipers_names_of_the_voice_are_understood) {
  EXPECT_EQ(parse_json_utterance(R"({"text":"x","speaker":"b"})", "t").voice, "b");
  EXPECT_EQ(parse_json_utterance(R"({"text":"x","speaker_id":3})", "t").voice, "3");
}

TEST(JsonUtterance, wrong_types_and_ranges_are_refused) {
  for (const char* line :
       {"", "null", "[]", "{}", R"({"text":1})", R"({"text":" "})", R"({"text":"x","speed":0.2})",
        R"({"text":"x","speed":"1"})", R"({"text":"x","speed":1e999})", R"({"text":"x","seed":-2})",
        R"({"text":"x","seed":1.0})", R"({"text":"x","voice":1.5})", R"({"text":"x","voice":null})",
        R"({"text":"x","voice":"a","speaker":"a"})", R"({"text":"x","text":"x"})",
        R"({"text":"\ud800"})", R"({"text":"x"} {})", R"({"text":"x","output_file":["a"]})"}) {
    EXPECT_THROW(parse_json_utterance(line, "t"), Error) << line;
  }
}

}  // namespace
}  // namespace kani::cli
