// layout_test.cc - prompts, positions and codes against what upstream's classes computed.
#include "kani/tokens/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/tokens/tokenizer_names.h"

namespace kani {
namespace {

const std::string kData = KANI_TEST_DATA "/lm/";
const char* const kCases[] = {"case_a", "case_b", "case_c", "case_d", "case_e"};

Json document(const std::string& path) {
  return parse_json(read_file(kData + path, 1 << 24), "the test");
}
Lfm2Config config_of(const std::string& name) {
  return parse_lfm2_config(read_file(kData + name + "/config.json", 1 << 20), name);
}

/// The layout of the real model.
TokenLayout real_layout() {
  Lfm2Config config;
  config.vocab_size = 80538;
  return TokenLayout::of(config);
}

TEST(TokenLayout, ids_follow_from_the_start_of_audio) {
  for (const std::string name : kCases) {
    SCOPED_TRACE(name);
    const TokenLayout layout = TokenLayout::of(config_of(name));
    const Json expected = document(name + "/golden.json")["layout"];
    EXPECT_EQ(layout.start_of_text, expected["start_of_text"]);
    EXPECT_EQ(layout.end_of_text, expected["end_of_text"]);
    EXPECT_EQ(layout.start_of_speech, expected["start_of_speech"]);
    EXPECT_EQ(layout.end_of_speech, expected["end_of_speech"]);
    EXPECT_EQ(layout.start_of_human, expected["start_of_human"]);
    EXPECT_EQ(layout.end_of_human, expected["end_of_human"]);
    EXPECT_EQ(layout.start_of_ai, expected["start_of_ai"]);
    EXPECT_EQ(layout.end_of_ai, expected["end_of_ai"]);
    EXPECT_EQ(layout.audio_start, expected["audio_tokens_start"]);
    EXPECT_EQ(layout.codebook_size, expected["codebook_size"]);
    EXPECT_EQ(layout.codebooks, expected["tokens_per_frame"]);
  }
  EXPECT_EQ(real_layout().audio_id(3, 4031), 80537);
}

TEST(Prompt, ids_of_every_reference_prompt_are_equal) {
  int prompts = 0;
  for (const std::string name : kCases) {
    const Lfm2Config config = config_of(name);
    const TokenLayout layout = TokenLayout::of(config);
    const Tokenizer tokenizer = Tokenizer::load(kData + name);
    EXPECT_NO_THROW(check_tokenizer(tokenizer, config, name));
    const Json golden = document(name + "/golden.json");
    for (const Json& prompt : golden["prompts"]) {
      const std::string tag = prompt["language_tag"].is_null() ? "" : prompt["language_tag"];
      const TaggedText text = tagged_text(config, prompt["text"].get<std::string>(), tag);
      std::vector<int32_t> ids = build_prompt(layout, tokenizer, text, AddedTokens::kMatch, false);
      EXPECT_EQ(Json(ids), prompt["ids"]) << name << " " << prompt["id"];
      ids.push_back(layout.start_of_ai);
      ids.push_back(layout.start_of_speech);
      EXPECT_EQ(build_prompt(layout, tokenizer, text, AddedTokens::kMatch, true), ids);
      ++prompts;
    }
  }
  EXPECT_GE(prompts, 20);
}

TEST(Prompt, an_empty_text_is_begin_and_end_of_text) {
  const Lfm2Config config = config_of("case_a");
  const Tokenizer tokenizer = Tokenizer::load(kData + "case_a");
  const std::vector<int32_t> ids =
      build_prompt(TokenLayout::of(config), tokenizer, {}, AddedTokens::kPlainText, false);
  EXPECT_EQ(ids, (std::vector<int32_t>{1703, 1, 2, 1704}));
}

TEST(Tags, are_stripped_and_lower_cased_unless_the_model_knows_them_as_they_are) {
  Lfm2Config config = config_of("case_d");
  config.language_tags.push_back("en_GB");
  EXPECT_EQ(tagged_text(config, " Hi ", "").whole(), " Hi ");
  EXPECT_EQ(tagged_text(config, " Hi ", " \t\u3000").whole(), " Hi ");
  EXPECT_EQ(tagged_text(config, "Hi",
                        "\x1C\u00A0"
                        "EN_us\n")
                .whole(),
            "en_us: Hi");
  EXPECT_EQ(tagged_text(config, "Hi", "en_GB").whole(), "en_GB: Hi");
  EXPECT_EQ(tagged_text(config, "Hi", "\u00C4b\xFF").whole(),
            "\u00C4b\xFF: Hi");  // only ASCII letters change
}

TEST(Tags, a_language_may_have_a_token_of_its_own) {
  Lfm2Config config = config_of("case_b");
  const std::string json = read_file(kData + "case_b/tokenizer.json", 1 << 20);
  const int behind = config.vocab_size;
  const Tokenizer tokenizer = Tokenizer::parse(
      with_token_names(json, "t", std::vector<TokenName>{{behind, "<|ky|>"}}), "", "t");
  EXPECT_THROW(check_tokenizer(tokenizer, config, "t"), Error);  // no row for it
  config.audio_codebook_size = config.codebook_size();
  config.vocab_size += 1;
  EXPECT_NO_THROW(check_tokenizer(tokenizer, config, "t"));
  config.language_tags_available = true;
  config.language_tokens["ky"] = "<|ky|>";
  EXPECT_NO_THROW(check_tokenizer(tokenizer, config, "t"));
  EXPECT_THROW(check_tokenizer(Tokenizer::parse(json, "", "t"), config, "t"), Error);

  for (const char* tag : {"ky", " KY", "<|ky|>"}) {
    const TaggedText tagged = tagged_text(config, "<|ky|> Hi", tag);
    EXPECT_EQ(tagged.whole(), "<|ky|>: <|ky|> Hi");
    EXPECT_EQ(tag_concern(config, tag), "");
    // Only the one in front is a token where the text is plain.
    std::vector<int32_t> ids = encode(tokenizer, tagged, AddedTokens::kPlainText);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), behind), 1);
    ids = encode(tokenizer, tagged, AddedTokens::kMatch);
    EXPECT_EQ(ids, tokenizer.encode(tagged.whole()));
    EXPECT_EQ(std::count(ids.begin(), ids.end(), behind), 2);
  }
}

TEST(Tags, concerns_are_those_that_upstream_warns_of) {
  const Lfm2Config tagged = config_of("case_d");
  EXPECT_EQ(tag_concern(tagged, " ky "), "");
  EXPECT_NE(tag_concern(tagged, ""), "");
  EXPECT_NE(tag_concern(tagged, "fr").find("fr is not in"), std::string::npos);
  const Lfm2Config untagged = config_of("case_a");
  EXPECT_EQ(tag_concern(untagged, ""), "");
  EXPECT_NE(tag_concern(untagged, "en"), "");
}

TEST(CheckTokenizer, tokenizers_of_other_models_are_refused) {
  const std::string json = read_file(kData + "case_b/tokenizer.json", 1 << 20);
  const auto refusal = [](const Tokenizer& tokenizer, const Lfm2Config& config) -> std::string {
    try {
      check_tokenizer(tokenizer, config, "t");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      return error.what();
    }
    return "accepted";
  };
  const Lfm2Config config = config_of("case_b");
  const auto with_template = [&](const Json& value) {
    Json changed = parse_json(json, "the test");
    changed["post_processor"] = value;
    return Tokenizer::parse(dump_json(changed), "", "t");
  };
  Lfm2Config smaller = config;
  smaller.vocab_size -= 4;
  EXPECT_EQ(refusal(Tokenizer::parse(json, "", "t"), smaller),
            "t: has ids up to 1965, the model's embedding has 1962 rows");
  Lfm2Config earlier = config;
  earlier.audio_tokens_start -= 4;
  EXPECT_EQ(refusal(Tokenizer::parse(json, "", "t"), earlier),
            "t: its vocabulary has ids up to 1699, the model's control ids begin at 1696");
  EXPECT_EQ(refusal(with_template(nullptr), config),
            "t: puts nothing in front of a text, the model was trained with the id 1");
  Json bos = parse_json(json, "the test")["post_processor"]["processors"][1];
  bos["special_tokens"]["<|startoftext|>"]["ids"] = {6};
  EXPECT_EQ(refusal(with_template(bos), config),
            "t: puts 1 ids around a text, the first of them 6, must be the id 1 alone");
  bos["special_tokens"]["<|startoftext|>"]["ids"] = {1};
  EXPECT_EQ(refusal(with_template(bos), config), "accepted");
  bos["single"].push_back(bos["single"][0]);
  EXPECT_EQ(refusal(with_template(bos), config),
            "t: puts 2 ids around a text, the first of them 1, must be the id 1 alone");
}

TEST(Positions, whole_sequences_have_the_rules_positions) {
  const Json golden = document("positions.json");
  const TokenLayout layout = real_layout();
  for (const Json& expected : golden["whole"]) {
    SCOPED_TRACE(expected["name"].get<std::string>());
    const std::vector<int32_t> ids = golden["sequences"][expected["name"].get<std::string>()];
    const std::vector<double> got = sequence_positions(layout, expected["audio_step"], ids, false);
    ASSERT_EQ(got.size(), expected["positions"].size());
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], expected["positions"][i].get<double>(), 1e-4) << i;
  }
}

TEST(Positions, upstreams_decode_loop_is_followed_token_by_token) {
  const Json golden = document("positions.json");
  const TokenLayout layout = real_layout();
  size_t well_formed = 0;
  for (const Json& expected : golden["decode"]) {
    SCOPED_TRACE(expected["name"].get<std::string>());
    const int64_t prompt =
        expected["prompt_ids"].get<int64_t>() + (expected["voice"].get<bool>() ? 1 : 0);
    const std::vector<int32_t> tokens = expected["tokens"];
    UpstreamDecodePositions upstream(layout, expected["audio_step"], prompt);
    FramePositions rule(layout, expected["audio_step"]);
    for (int64_t i = 0; i < prompt; ++i) rule.next(1);
    bool equal = true;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const double position = upstream.next(tokens[i]);
      ASSERT_NEAR(position, expected["positions"][i].get<double>(), 1e-4) << i;
      equal = equal && std::abs(rule.next(tokens[i]) - position) < 1e-4;
    }
    // "only_text" is marked as malformed, yet its positions are the rule's: nothing in it is audio.
    EXPECT_EQ(equal, expected["agrees_with_rule"].get<bool>() || expected["name"] == "only_text");
    well_formed += equal;
  }
  EXPECT_GT(well_formed, 0u);
}

TEST(Positions, the_voice_slot_is_the_second_element) {
  const TokenLayout layout = real_layout();
  const std::vector<int32_t> ids = {64403, 1,     2,     64404, 64405, 64401,
                                    64410, 68442, 72474, 76506, 64410, 64402};
  EXPECT_EQ(sequence_positions(layout, 0.25, ids, true),
            (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7.25, 7.25}));
  EXPECT_TRUE(sequence_positions(layout, 0.25, {}, true).empty());
}

TEST(Positions, ids_behind_the_audio_ids_are_text) {
  Lfm2Config config = config_of("case_b");
  config.audio_codebook_size = config.codebook_size();
  const int behind = config.vocab_size;
  config.vocab_size += 3;
  const TokenLayout layout = TokenLayout::of(config);
  EXPECT_EQ(layout.codebook_size, config.audio_codebook_size);
  EXPECT_TRUE(layout.is_audio(behind - 1));
  EXPECT_FALSE(layout.is_text(behind - 1));
  for (const int32_t id : {behind, behind + 2}) {
    EXPECT_FALSE(layout.is_audio(id));
    EXPECT_TRUE(layout.is_text(id));
  }
  EXPECT_FALSE(layout.is_text(behind + 3));
  EXPECT_FALSE(layout.is_text(layout.start_of_speech));
  EXPECT_EQ(sequence_positions(layout, 1, std::vector<int32_t>(6, behind), false),
            (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

TEST(Positions, whole_utterances_of_the_models_have_their_positions) {
  size_t sequences = 0;
  for (const std::string name : kCases) {
    const Lfm2Config config = config_of(name);
    const Json golden = document(name + "/golden.json");
    for (const Json& prompt : golden["prompts"]) {
      if (!prompt.contains("whole") || prompt["whole"].is_null()) continue;
      const std::vector<double> got = sequence_positions(
          TokenLayout::of(config), config.audio_step,
          prompt["whole"]["ids"].get<std::vector<int32_t>>(), !prompt["voice"].is_null());
      const std::vector<double> expected = prompt["whole"]["positions"];
      ASSERT_EQ(got.size(), expected.size());
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 1e-4) << name << " " << i;
      ++sequences;
    }
  }
  EXPECT_GE(sequences, 3u);
}

std::vector<int32_t> flat(const Json& frames) {
  std::vector<int32_t> out;
  for (const Json& frame : frames) {
    for (const Json& code : frame) out.push_back(code);
  }
  return out;
}

TEST(Codes, strict_and_lenient_verdicts_are_the_references) {
  const TokenLayout layout = real_layout();
  const Json golden = document("codes.json");
  for (const Json& list : golden["lists"]) {
    SCOPED_TRACE(list["name"].get<std::string>());
    const std::vector<int32_t> ids = list["ids"];
    EXPECT_EQ(decode_codes(layout, ids, DecodeMode::kLenient), flat(list["lenient"]));
    if (list["valid"]) {
      EXPECT_EQ(decode_codes(layout, ids, DecodeMode::kStrict), flat(list["upstream"]["codes"]));
    } else {
      EXPECT_THROW(decode_codes(layout, ids, DecodeMode::kStrict), Error);
    }
  }
}

TEST(Codes, strict_messages_name_index_id_and_slot) {
  const auto refusal = [](const std::vector<int32_t>& ids) -> std::string {
    try {
      decode_codes(real_layout(), ids, DecodeMode::kStrict);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal({64410, 64402}), "no start of speech (64401) among 2 ids");
  EXPECT_EQ(refusal({64401, 64410}), "no end of speech (64402) among 2 ids");
  EXPECT_EQ(refusal({64402, 64401}),
            "end of speech at index 0 lies before start of speech at index 1");
  EXPECT_EQ(refusal({64401, 64401, 64402}),
            "start of speech (64401) at index 0 and again at index 1");
  EXPECT_EQ(refusal({64401, 64402}), "no audio between start and end of speech");
  EXPECT_EQ(refusal({64401, 64410, 64410, 64402}),
            "id 64410 at index 2 is no code of codebook 1, expected 68442 to 72473");
  EXPECT_EQ(refusal({64401, 64410, 64402}),
            "1 tokens between start and end of speech, must be a multiple of 4");
}

TEST(Codes, extreme_ids_are_no_codes) {
  const TokenLayout layout = real_layout();
  for (const int32_t id :
       {std::numeric_limits<int32_t>::min(), -1, 0, 80538, std::numeric_limits<int32_t>::max()}) {
    EXPECT_TRUE(
        decode_codes(layout, std::vector<int32_t>{64401, id, 64402}, DecodeMode::kLenient).empty());
    EXPECT_THROW(decode_codes(layout, std::vector<int32_t>{64401, id, id, id, id, 64402},
                              DecodeMode::kStrict),
                 Error);
  }
}

}  // namespace
}  // namespace kani
