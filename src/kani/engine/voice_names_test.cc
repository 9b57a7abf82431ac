// Names of voices: identifiers, mixes with every malformed form, the two files of names.
#include "kani/engine/voice_names.h"

#include <gtest/gtest.h>

#include <functional>

#include "kani/base/error.h"

namespace kani {
namespace {

std::string message_of(const std::function<void()>& call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(VoiceNames, identifiers) {
  for (const char* good : {"a", "Z9", "david_en", "a.b-c", "0", "a_", "a."})
    EXPECT_TRUE(is_voice_id(good)) << good;
  for (const char* bad : {"", ".", "..", "a..b", "-a", "_a", "a b", "a/b", "a\\b", "ä", "a\n",
                          "a+b", "a(1)", "../a", "/a", "a:b", "a%2e"})
    EXPECT_FALSE(is_voice_id(bad)) << bad;
  EXPECT_TRUE(is_voice_id(std::string(64, 'a')));
  EXPECT_FALSE(is_voice_id(std::string(65, 'a')));
  EXPECT_FALSE(is_voice_id(std::string_view("a\0b", 3)));
}

TEST(VoiceNames, what_people_call_a_voice_becomes_an_identifier) {
  EXPECT_EQ(voice_id_of("David_en"), "David_en");
  EXPECT_EQ(voice_id_of("My voice"), "my-voice");
  EXPECT_EQ(voice_id_of("David (en)"), "david-en");
  EXPECT_EQ(voice_id_of("  Anna  Müller. "), "anna-mller");
  EXPECT_EQ(voice_id_of(std::string(100, 'A')), std::string(64, 'a'));
  for (const char* bad : {"", " ", "Анна", "random", "Random", "RANDOM ", "../etc/passwd", "a/b",
                          "a\\b", "a\nb", "\x7f", "\xff", "...", "()"})
    message_of([&] { voice_id_of(bad); }, ErrorCode::kInvalidArgument);
  message_of([&] { voice_id_of(std::string(10'000, 'a')); }, ErrorCode::kInvalidArgument);
}

TEST(VoiceNames, weights_of_a_mix_add_up_to_one) {
  const std::vector<MixTerm> mix = parse_mix("a(0.7)+b(0.3)");
  ASSERT_EQ(mix.size(), 2U);
  EXPECT_EQ(mix[0].voice, "a");
  EXPECT_DOUBLE_EQ(mix[0].weight, 0.7);
  EXPECT_DOUBLE_EQ(mix[1].weight, 0.3);
  const std::vector<MixTerm> other = parse_mix(" David (en) ( 3 ) + ./x(1).pt(1e0) ");
  EXPECT_EQ(other[0].voice, "David (en)");
  EXPECT_EQ(other[1].voice, "./x(1).pt");
  EXPECT_DOUBLE_EQ(other[0].weight, 0.75);
  EXPECT_DOUBLE_EQ(parse_mix("a(1e-6)+b(0.000001)")[0].weight, 0.5);
  EXPECT_DOUBLE_EQ(parse_mix("a(5)")[0].weight, 1);
  std::string many = "a(1)";
  for (int i = 1; i < 32; ++i) many += "+a(1)";
  EXPECT_EQ(parse_mix(many).size(), 32U);
}

TEST(VoiceNames, malformed_mixes_are_refused_with_the_place) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "character 1: a voice is due, found nothing"},
      {"a(1)+", "character 6: a voice is due, found nothing"},
      {"+a(1)", "character 1: a voice is due, found nothing"},
      {"a(1)++b(1)", "character 6: a voice is due, found nothing"},
      {"a+b", "character 2: a weight in brackets is due"},
      {"a(1)+b", "character 7: a weight in brackets is due"},
      {"ä(1)+b(1)c", "character 11: a weight in brackets is due"},
      {"a(1", "character 4: a weight in brackets is due"},
      {"a)", "character 2: \")\" without \"(\""},
      {"(1)", "character 1: a voice is due before \"(\""},
      {"a()", "character 3: the weight is nothing, expected a number"},
      {"a(x)", "character 3: the weight is x, expected a number"},
      {"a(0x1)", "character 3: the weight is 0x1, expected a number"},
      {"a(1,5)", "character 3: the weight is 1,5, expected a number"},
      {"a(1)+b(nan)", "character 8: the weight is nan, expected a number"},
      {"a(inf)", "the weight is inf, expected a number"},
      {"a(1e999)", "the weight is 1e999, expected a number"},
      {"a(0)+b(1)", "character 3: the weight is 0, must be above 0"},
      {"a(-1)", "the weight is -1, must be above 0"},
      {"a(1e7)", "the weight is 1e7, must be 0.000001 to 1000000"},
      {"a(1e-300)", "the weight is 1e-300, must be 0.000001 to 1000000"},
  };
  for (const auto& [mix, expected] : cases) {
    const std::string message =
        message_of([&, text = mix] { parse_mix(text); }, ErrorCode::kInvalidArgument);
    EXPECT_NE(message.find(expected), std::string::npos) << mix << ": " << message;
  }
  std::string many = "a(1)";
  for (int i = 0; i < 32; ++i) many += "+a(1)";
  EXPECT_NE(message_of([&] { parse_mix(many); }, ErrorCode::kInvalidArgument).find("at most 32"),
            std::string::npos);
}

TEST(VoiceNames, speaker_maps_of_a_peer) {
  const auto map = parse_speaker_map(
      R"j({"David (en)": "./speakers/david_en.pt", "Айсулу": "aisulu.pt"})j", "m");
  ASSERT_EQ(map.size(), 2U);
  EXPECT_EQ(map[0], std::make_pair(std::string("David (en)"), std::string("speakers/david_en.pt")));
  EXPECT_EQ(map[1].second, "aisulu.pt");
  EXPECT_TRUE(parse_speaker_map("{}", "m").empty());
  for (const char* bad :
       {"[]", "{\"a\":1}", "{\"a\":\"\"}", "{\"\":\"a\"}", "{\"a\":\"/etc/passwd\"}",
        "{\"a\":\"../x.pt\"}", "{\"a\":\"x/../../y.pt\"}", "{\"a\":\"x\\\\y\"}", "{\"a\":\".\"}",
        "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":{\"b\":\"c\"}}", "{\"a\":\"b\\u0000\"}", "nonsense"})
    EXPECT_TRUE(
        message_of([&] { parse_speaker_map(bad, "m"); }, ErrorCode::kBadInput).starts_with("m: "))
        << bad;
}

TEST(VoiceNames, files_of_openai_names) {
  EXPECT_EQ(parse_openai_voices(R"({"alloy":"david_en","verse":"rms"})", "o").at("alloy"),
            "david_en");
  EXPECT_NE(message_of([] { parse_openai_voices(R"({"Alloy":"x"})", "o"); }, ErrorCode::kBadInput)
                .find("one of OpenAI's 13 voices"),
            std::string::npos);
  message_of([] { parse_openai_voices(R"({"alloy":["x"]})", "o"); }, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace kani
