// lfm2_test.cc - config.json and generation_config.json: both generations of keys, defaults, and
// what is refused.
#include "kani/spec/lfm2.h"

#include <gtest/gtest.h>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"

namespace kani {
namespace {

std::string golden(const std::string& path) {
  return read_file(KANI_TEST_DATA "/lm/" + path, 1 << 20);
}

Lfm2Config parse(const Json& document, const Lfm2Overrides& overrides = {}) {
  return parse_lfm2_config(dump_json(document), "config.json", overrides);
}

/// A valid small config that tests change one key of.
Json small() {
  return parse_json(
      R"({"model_type": "lfm2", "architectures": ["KaniTTS2ForCausalLM"], "vocab_size": 1966,
    "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2,
    "intermediate_size": 150, "block_ffn_dim_multiplier": 1.1, "block_multiple_of": 16,
    "layer_types": ["conv", "full_attention", "conv"], "audio_tokens_start": 1710})",
      "the test");
}
Json with(const std::string& key, const Json& value) {
  Json document = small();
  document[key] = value;
  return document;
}

void expect_refused(const std::string& text, const std::vector<std::string>& parts) {
  try {
    parse_lfm2_config(text, "config.json");
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos);
    for (const std::string& part : parts) EXPECT_NE(what.find(part), std::string::npos) << what;
  }
}
void expect_refused(const std::string& key, const Json& value, const std::string& rule) {
  expect_refused(dump_json(with(key, value)), {"config.json: ", key, rule});
}

TEST(Lfm2Config, the_five_reference_models_have_the_sizes_their_goldens_name) {
  for (const char name : {'a', 'b', 'c', 'd', 'e'}) {
    const std::string folder = std::string("case_") + name;
    SCOPED_TRACE(folder);
    const Lfm2Config config = parse_lfm2_config(golden(folder + "/config.json"), folder);
    const Json expected = parse_json(golden(folder + "/golden.json"), "the test");
    EXPECT_EQ(config.intermediate_size, expected["effective"]["ffn_size"]);
    EXPECT_EQ(config.audio_step, expected["effective"]["audio_step"]);
    EXPECT_EQ(config.codebook_size(), expected["layout"]["codebook_size"]);
    EXPECT_EQ(config.tokens_per_frame, expected["layout"]["tokens_per_frame"]);
    EXPECT_EQ(config.audio_tokens_start, expected["layout"]["audio_tokens_start"]);
    for (const auto& [layer, alpha] : expected["effective"]["alphas"].items()) {
      EXPECT_EQ(config.layers.at(std::stoul(layer)), LayerKind::kAttention);
    }
  }
}

TEST(Lfm2Config, keys_of_the_first_generation_are_read) {
  const Lfm2Config config = parse_lfm2_config(golden("case_a/config.json"), "a");
  EXPECT_EQ(config.rope_theta, 10000.0);    // theta beats rope_theta
  EXPECT_EQ(config.intermediate_size, 96);  // block_ff_dim 120: 80, rounded up to 32s
  EXPECT_EQ(config.head_dim, 12);
  EXPECT_TRUE(config.tie_embedding);
  EXPECT_FALSE(config.use_learnable_rope.has_value());
  const std::vector<LayerKind> layers = {LayerKind::kConv, LayerKind::kConv, LayerKind::kAttention,
                                         LayerKind::kConv, LayerKind::kAttention};
  EXPECT_EQ(config.layers, layers);
}

TEST(Lfm2Config, keys_that_win_win) {
  EXPECT_EQ(parse(with("block_ff_dim", 240)).intermediate_size, 176);  // not 150
  EXPECT_FALSE(parse(with("tie_embedding", false)).tie_embedding);
  Json document = with("tie_word_embeddings", false);
  document["tie_embedding"] = true;
  EXPECT_TRUE(parse(document).tie_embedding);
  document = with("num_heads", 3);
  EXPECT_EQ(parse(document).heads, 6);
  document.erase("num_attention_heads");
  document["num_key_value_heads"] = 1;
  EXPECT_EQ(parse(document).heads, 3);
  document = with("full_attn_idxs", {0, 1, 2});
  EXPECT_EQ(parse(document).layers[0], LayerKind::kConv);
  document.erase("layer_types");
  EXPECT_EQ(parse(document).layers[0], LayerKind::kAttention);
  document.erase("full_attn_idxs");
  EXPECT_EQ(parse(document).layers, std::vector<LayerKind>(3, LayerKind::kAttention));
}

TEST(Lfm2Config, rope_base_comes_from_theta_then_rope_theta_then_rope_parameters) {
  Json document = with("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 300.0}});
  EXPECT_EQ(parse(document).rope_theta, 300.0);
  document["rope_theta"] = 200.0;
  EXPECT_EQ(parse(document).rope_theta, 200.0);
  document["theta"] = 100;
  EXPECT_EQ(parse(document).rope_theta, 100.0);
  EXPECT_EQ(parse(small()).rope_theta, 1e6);
  EXPECT_EQ(parse(with("rope_scaling", nullptr)).rope_theta, 1e6);
}

TEST(Lfm2Config, the_size_rule_of_the_feed_forward_is_upstreams) {
  Json document = with("intermediate_size", 6656);
  document["block_ffn_dim_multiplier"] = 1.0;
  document["block_multiple_of"] = 256;
  EXPECT_EQ(parse(document).intermediate_size, 4608);
  document["block_auto_adjust_ff_dim"] = false;
  EXPECT_EQ(parse(document).intermediate_size, 6656);
  document = with("intermediate_size", 100);
  document["block_ffn_dim_multiplier"] = nullptr;
  EXPECT_EQ(parse(document).intermediate_size, 66);
}

TEST(Lfm2Config, absent_keys_have_upstreams_defaults_and_are_named_in_the_log) {
  std::string log;
  set_log_sink(
      [&](LogLevel, std::string_view, std::string_view line) { log += std::string(line) + "\n"; });
  const Lfm2Config config = parse(small());
  set_log_sink({});
  EXPECT_EQ(config.audio_step, 1.0);
  EXPECT_EQ(config.alpha_min, 0.1);
  EXPECT_EQ(config.alpha_max, 2.0);
  EXPECT_EQ(config.speaker_emb_dim, 128);
  EXPECT_NE(log.find("assumed tokens_per_frame 4, audio_step 1, alpha_min 0.1, alpha_max 2, "
                     "speaker_emb_dim 128"),
            std::string::npos)
      << log;
}

TEST(Lfm2Config, what_the_user_says_replaces_the_file_before_the_checks) {
  const Json raw = parse_json(golden("case_e/config.json"), "the test");
  Lfm2Overrides user;
  user.audio_step = 0.5;
  user.alpha_min = 0.2;
  user.use_learnable_rope = false;
  const Lfm2Config config = parse(raw, user);
  EXPECT_EQ(config.audio_step, 0.5);
  EXPECT_EQ(config.alpha_min, 0.2);
  EXPECT_FALSE(*config.use_learnable_rope);
  user.audio_tokens_start = 80500;  // 38 left: no multiple of 4
  EXPECT_THROW(parse(raw, user), Error);
  user.tokens_per_frame = 2;
  EXPECT_EQ(parse(raw, user).codebook_size(), 19);
}

TEST(Lfm2Config, language_settings_are_read) {
  const Lfm2Config config = parse_lfm2_config(golden("case_d/config.json"), "d");
  EXPECT_TRUE(config.language_tags_available);
  EXPECT_EQ(config.language_tags, (std::vector<std::string>{"en_us", "ky", "es"}));
  EXPECT_FALSE(
      parse(with("language_settings", {{"status", "no_language_tags"}})).language_tags_available);
}

TEST(Lfm2Config, ids_may_lie_behind_the_audio_ids_if_the_codebooks_size_is_said) {
  Json document = with("vocab_size", 1969);  // 1710 + 4 x 64 + 3
  expect_refused(dump_json(document), {"vocab_size is 1969"});
  document["audio_codebook_size"] = 64;
  EXPECT_EQ(parse(document).codebook_size(), 64);
  document["audio_codebook_size"] = 65;
  expect_refused(dump_json(document), {"audio_codebook_size is 65"});
  document["audio_codebook_size"] = -1;
  expect_refused(dump_json(document), {"audio_codebook_size is -1"});
  EXPECT_EQ(parse(small()).codebook_size(), 64);
}

TEST(Lfm2Config, tokens_of_languages_are_read) {
  Json settings{{"status", "available_language_tags"},
                {"language_tags_list", {"<|ky|>"}},
                {"language_tokens", {{"ky", "<|ky|>"}}}};
  EXPECT_EQ(parse(with("language_settings", settings)).language_tokens,
            (std::map<std::string, std::string>{{"ky", "<|ky|>"}}));
  for (const Json& tokens :
       {Json(3), Json({"ky"}), Json{{"ky", 3}}, Json{{"ky", "a b"}}, Json{{"k:", "<|ky|>"}}}) {
    settings["language_tokens"] = tokens;
    expect_refused("language_settings", settings, "language_tokens");
  }
}

TEST(Lfm2Config, other_models_are_refused) {
  Json document = small();
  document.erase("model_type");
  expect_refused(dump_json(document), {"model_type is missing"});
  expect_refused("model_type", "llama", "must be \"lfm2\"");
  expect_refused("model_type", nullptr, "must be \"lfm2\"");
  expect_refused("architectures", Json::array(), "must be one of");
  expect_refused("architectures", {"LlamaForCausalLM"}, "must be one of");
  expect_refused("architectures", "Lfm2ForCausalLM", "must be an array");
  for (const char* name :
       {"KaniTTS2ForCausalLM", "FlashCompatibleLfm2ForCausalLM", "Lfm2ForCausalLM"}) {
    EXPECT_NO_THROW(parse(with("architectures", {name})));
  }
}

TEST(Lfm2Config, every_integer_is_checked_for_type_and_range) {
  for (const char* key :
       {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "intermediate_size", "block_ff_dim", "conv_L_cache",
        "audio_tokens_start", "tokens_per_frame", "speaker_emb_dim", "block_multiple_of"}) {
    SCOPED_TRACE(key);
    const bool null_is_absent = std::string_view(key) == "head_dim";
    for (const Json& value :
         {Json(-1), Json(0), Json(1.5), Json("7"), Json(true), Json::array({1}),
          Json(1'000'000'000), Json(uint64_t{1} << 63), Json(int64_t{-1} << 40), Json()}) {
      if (null_is_absent && value.is_null()) continue;
      expect_refused(key, value, "must be");
    }
  }
}

TEST(Lfm2Config, every_number_is_checked_for_type_and_range) {
  for (const char* key : {"norm_eps", "rope_theta", "theta", "audio_step"}) {
    SCOPED_TRACE(key);
    for (const Json& value : {Json(0), Json(-1), Json(1e300), Json("NaN"), Json(), Json(false)}) {
      expect_refused(key, value, "must be");
    }
  }
  expect_refused("audio_step", 1'000'000'000, "must be 1e-06 to 1024");
  expect_refused("alpha_min", 3.0, " is 3, must be 0 to 2");  // above alpha_max
  expect_refused("alpha_min", -0.5, "must be");
  for (const Json& value : {Json(-1), Json(1e300), Json("2"), Json()}) {
    expect_refused("alpha_max", value, "must be");
  }
  expect_refused("block_ffn_dim_multiplier", -1.0, "must be");
  expect_refused("block_ffn_dim_multiplier", 1e9, "must be");
  for (const char* key : {"conv_bias", "tie_embedding", "tie_word_embeddings", "use_learnable_rope",
                          "block_auto_adjust_ff_dim"}) {
    for (const Json& value : {Json(1), Json("true"), Json()})
      expect_refused(key, value, "must be true or false");
  }
}

TEST(Lfm2Config, rules_between_fields_hold) {
  expect_refused("num_attention_heads", 7, "must be a multiple of num_attention_heads 7");
  expect_refused("num_key_value_heads", 4, "must be a multiple of num_key_value_heads 4");
  expect_refused("head_dim", 7, "must be even");
  Json document = with("head_dim", 10);
  EXPECT_EQ(parse(document).head_dim, 10);
  document["use_learnable_rope"] = true;
  expect_refused(dump_json(document), {"head_dim is 10", "48 / 6"});
  expect_refused("vocab_size", 1967, "must be a multiple of tokens_per_frame 4");
  expect_refused(dump_json(with("vocab_size", 1709)),
                 {"audio_tokens_start is 1710, must be 13 to 1708"});
  expect_refused(dump_json(with("vocab_size", 1710)), {"audio_tokens_start is 1710"});
}

TEST(Lfm2Config, the_list_of_layers_must_fit) {
  expect_refused("layer_types", {"conv", "conv"}, "has 2 entries");
  expect_refused("layer_types", {"conv", "conv", "conv", "conv"}, "has 4 entries");
  expect_refused("layer_types", {"conv", "conv", "mamba"}, "layer_types[2] is \"mamba\"");
  expect_refused("layer_types", {"conv", "conv", 3}, "must be \"conv\" or");
  expect_refused("layer_types", "conv", "must be an array");
  Json document = with("full_attn_idxs", {3});
  document.erase("layer_types");
  expect_refused(dump_json(document), {"full_attn_idxs is 3, must be 0 to 2"});
  document["full_attn_idxs"] = {"1"};
  expect_refused(dump_json(document), {"must be a whole number"});
}

TEST(Lfm2Config, other_kinds_of_rope_are_refused) {
  expect_refused("rope_scaling", {{"type", "linear"}, {"factor", 2.0}},
                 "type is \"linear\", must be \"default\"");
  expect_refused("rope_scaling", {{"rope_type", "yarn"}}, "must be \"default\"");
  expect_refused("rope_parameters", {{"rope_type", "llama3"}}, "must be \"default\"");
  expect_refused("rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}},
                 "must be 1");
  expect_refused("rope_scaling", 2.0, "must be an object");
}

TEST(Lfm2Config, broken_language_settings_are_refused) {
  expect_refused("language_settings", "en", "must be an object");
  expect_refused("language_settings", Json::object(), "status");
  expect_refused("language_settings", {{"status", "maybe"}}, "status is \"maybe\"");
  const auto tags = [](const Json& list) {
    return Json{{"status", "available_language_tags"}, {"language_tags_list", list}};
  };
  expect_refused("language_settings", tags("en"), "must be an array");
  expect_refused("language_settings", tags({1}), "must be a string");
  expect_refused("language_settings", tags({"en\nus"}), "without blanks");
  expect_refused("language_settings", tags({""}), "1 to 64 bytes");
  expect_refused("language_settings", tags({std::string(65, 'a')}), "1 to 64 bytes");
  expect_refused("language_settings", tags(std::vector<std::string>(5000, "en")), "at most 1000");
}

TEST(Lfm2Config, sizes_that_only_together_are_absurd_are_refused) {
  Json document = with("hidden_size", 65536);
  document["num_attention_heads"] = 64;
  document["num_hidden_layers"] = 3;
  document["num_key_value_heads"] = 64;
  document["block_auto_adjust_ff_dim"] = false;
  document["intermediate_size"] = 1 << 20;
  expect_refused(dump_json(document), {"all sizes together make", "must be at most 68719476736"});
}

TEST(Lfm2Config, what_has_no_meaning_here_is_ignored) {
  Json document = with("auto_map", {{"AutoModel", "evil.py"}});
  document["torch_dtype"] = "float7";
  document["max_position_embeddings"] = -1;
  document["eos_token_id"] = "x";
  EXPECT_NO_THROW(parse(document));
}

TEST(Lfm2Config, broken_documents_are_refused) {
  const std::string good = dump_json(small());
  EXPECT_NO_THROW(parse_lfm2_config(good, "config.json"));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("null"), "\xEF\xBB\xBF" + good, good + "x",
        good + good, "// comment\n" + good, good.substr(0, good.size() - 1) + ",}",
        std::string(100'000, '['), std::string(2 << 20, ' ') + good,
        good.substr(0, good.size() - 1) + ",\"rope_theta\":1e400}",
        good.substr(0, good.size() - 1) + ",\"rope_theta\":NaN}",
        good.substr(0, good.size() - 1) + ",\"rope_theta\":Infinity}",
        good.substr(0, good.size() - 1) + ",\"rope_theta\":007}"}) {
    expect_refused(text, {"config.json"});
  }
  const std::string doubled = good.substr(0, good.size() - 1) + ",\"vocab_size\":1970}";
  EXPECT_EQ(parse_lfm2_config(doubled, "config.json").vocab_size, 1970);  // the last one counts
}

TEST(GenerationConfig, known_settings_are_read_and_null_is_absent) {
  const GenerationDefaults read = parse_generation_config(
      R"({"do_sample": true, "temperature": 0.4, "top_p": 0.9, "repetition_penalty": 1, "top_k": 0, "min_p": null})",
      "generation_config.json");
  EXPECT_EQ(read.temperature, 0.4);
  EXPECT_EQ(read.top_p, 0.9);
  EXPECT_EQ(read.repetition_penalty, 1.0);
  EXPECT_EQ(read.top_k, 0);
  EXPECT_FALSE(read.min_p.has_value());
  EXPECT_FALSE(read.max_new_tokens.has_value());
  EXPECT_FALSE(read.language.has_value());
  EXPECT_EQ(parse_generation_config(R"({"kani_language": "en"})", "g").language, "en");
  EXPECT_FALSE(parse_generation_config(golden("case_a/generation_config.json"), "a")
                   .temperature.has_value());
}

TEST(GenerationConfig, settings_that_are_not_applied_are_named_in_the_log) {
  std::string log;
  set_log_sink(
      [&](LogLevel, std::string_view, std::string_view line) { log += std::string(line) + "\n"; });
  parse_generation_config(
      R"({"typical_p": 0.5, "num_beams": 4, "eos_token_id": 7, "top_k": 5, "suppress": null})",
      "g");
  set_log_sink({});
  EXPECT_EQ(log, "g: set but not applied: num_beams, typical_p\n");
}

TEST(GenerationConfig, broken_values_are_refused) {
  for (const char* text :
       {R"({"temperature": -1})", R"({"temperature": "1"})", R"({"top_p": 0})", R"({"top_p": 1.5})",
        R"({"min_p": -0.1})", R"({"top_k": -1})", R"({"top_k": 2.5})",
        R"({"repetition_penalty": 0})", R"({"max_new_tokens": 0})", R"({"max_new_tokens": 1e9})",
        R"({"kani_language": 5})", R"({"kani_language": ""})", R"({"kani_language": "e n"})", "[]",
        "", "{\"top_k\": 99999999999999999999}"}) {
    EXPECT_THROW(parse_generation_config(text, "generation_config.json"), Error) << text;
  }
}

}  // namespace
}  // namespace kani
