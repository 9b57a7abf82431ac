// tokenizer_file_test.cc - hostile tokenizer.json files (reliability.md 6): each is refused with a
// reason in one line.
#include "kani/tokens/tokenizer_file.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

const std::string& good_text() {
  static const std::string text = read_file(KANI_TEST_DATA "/lm/tokenizer/tokenizer.json", 1 << 20);
  return text;
}
const Json& good() {
  static const Json json = parse_json(good_text(), "the test");
  return json;
}

void expect_refused(const std::string& text, const std::string& reason,
                    const std::string& config = "") {
  try {
    Tokenizer::parse(text, config, "t.json");
    ADD_FAILURE() << "accepted, expected: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    const std::string what = error.what();
    EXPECT_NE(what.find(reason), std::string::npos) << what;
    EXPECT_TRUE(what.starts_with("t.json")) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos);
    EXPECT_LT(what.size(), 600u);
  }
}

/// Refused after `pointer` (JSON pointer) was set to `value`.
void expect_refused_with(const char* pointer, const Json& value, const std::string& reason) {
  SCOPED_TRACE(pointer);
  Json json = good();
  json[Json::json_pointer(pointer)] = value;
  expect_refused(dump_json(json), reason);
}
void expect_accepted(const char* pointer, const Json& value) {
  Json json = good();
  json[Json::json_pointer(pointer)] = value;
  EXPECT_NO_THROW(Tokenizer::parse(dump_json(json), "", "t.json")) << pointer;
}
void expect_accepted_without(const char* object, const char* member) {
  Json json = good();
  json[Json::json_pointer(object)].erase(member);
  EXPECT_NO_THROW(Tokenizer::parse(dump_json(json), "", "t.json")) << object << "/" << member;
}

/// good() as text with `from` (which must occur) replaced once.
std::string with_text(const std::string& from, const std::string& to) {
  std::string text = dump_json(good());
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

TEST(TokenizerFile, other_models_are_refused) {
  expect_refused_with("/model/type", "WordPiece", "model.type is \"WordPiece\", only \"BPE\"");
  expect_refused_with("/model/type", nullptr, "model.type is null");
  expect_refused_with("/model/dropout", 0.1, "model.dropout is 0.1");
  expect_refused_with("/model/unk_token", "<unk>", "model.unk_token is \"<unk>\", only null");
  expect_refused_with("/model/continuing_subword_prefix", "##",
                      "continuing_subword_prefix is \"##\"");
  expect_refused_with("/model/end_of_word_suffix", "</w>", "end_of_word_suffix is \"</w>\"");
  expect_refused_with("/model/byte_fallback", true, "byte_fallback is true, only false");
  expect_refused_with("/model/ignore_merges", "yes", "ignore_merges is \"yes\"");
  expect_refused_with("/model/new_feature", 1, "model.new_feature is not a known member");
  expect_refused_with("/model", "BPE", "model is \"BPE\"");
  expect_accepted("/model/dropout", 0.0);
  expect_accepted("/model/continuing_subword_prefix", "");
  expect_accepted_without("/model", "byte_fallback");
}

TEST(TokenizerFile, other_steps_are_refused) {
  expect_refused_with("/version", "2.0", "version is \"2.0\"");
  expect_refused_with("/normalizer", {{"type", "NFC"}},
                      "normalizer is {\"type\":\"NFC\"}, only null");
  expect_refused_with("/decoder", {{"type", "Metaspace"}}, "decoder.type is \"Metaspace\"");
  expect_refused_with("/surprise", true, "surprise is not a known member");
  expect_refused_with("/pre_tokenizer", nullptr, "pre_tokenizer is null");
  expect_refused_with("/pre_tokenizer", {{"type", "Whitespace"}}, "pre_tokenizer.type");
  expect_refused_with("/pre_tokenizer/pretokenizers", Json::array(),
                      "only Split followed by ByteLevel");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/type", "Digits",
                      "pretokenizers[0].type is \"Digits\"");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/pattern/Regex", "(a+)+$",
                      "pattern is {\"Regex\":\"(a+)+$\"}");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/pattern/Regex", std::string(1 << 20, '('),
                      "pattern is");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/pattern", {{"String", " "}}, "pattern is");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/behavior", "Removed",
                      "behavior is \"Removed\"");
  expect_refused_with("/pre_tokenizer/pretokenizers/0/invert", true, "invert is true");
  expect_refused_with("/pre_tokenizer/pretokenizers/1/add_prefix_space", true,
                      "add_prefix_space is true");
  expect_refused_with("/pre_tokenizer/pretokenizers/1/use_regex", true,
                      "use_regex is true, only false");
  expect_accepted("/decoder", nullptr);
  expect_accepted("/pre_tokenizer/pretokenizers/1/trim_offsets", false);
  expect_accepted("/truncation", {{"max_length", 3}});
}

TEST(TokenizerFile, broken_templates_are_refused) {
  const std::string base = "/post_processor/processors/1";
  expect_refused_with("/post_processor", {{"type", "BertProcessing"}},
                      "post_processor.type is \"BertProcessing\"");
  expect_refused_with((base + "/special_tokens").c_str(), Json::object(),
                      "special_tokens.<|startoftext|> is null");
  const std::string ids = base + "/special_tokens/<|startoftext|>/ids";
  expect_refused_with(ids.c_str(), {3000}, "puts the id 3000 beside the text, but no token has it");
  for (const Json& id : {Json(-1), Json(1e9), Json("1"), Json(uint64_t{1} << 40), Json()}) {
    expect_refused_with(ids.c_str(), Json::array({id}), "only an id below 524288");
  }
  expect_refused_with((base + "/single").c_str(), Json::array(), "a template with one $A");
  expect_refused_with((base + "/single/1/Sequence/id").c_str(), "B", "Sequence.id is \"B\"");
  expect_refused_with((base + "/single/0").c_str(), {{"Sequence", {{"id", "A"}}}},
                      "a template with one $A");
  expect_refused_with((base + "/single/0").c_str(), {{"Other", 1}}, "Other is not a known member");
  expect_refused_with("/post_processor/processors/0", good()["post_processor"]["processors"][1],
                      "only one TemplateProcessing");
  expect_refused_with("/post_processor/processors/0", good()["post_processor"],
                      "is \"Sequence\", only");
  expect_accepted("/post_processor", nullptr);
}

TEST(TokenizerFile, broken_vocabularies_are_refused) {
  expect_refused_with("/model/vocab", Json::object(), "no token for the single byte 0");
  expect_refused_with("/model/vocab", nullptr, "no token for the single byte 0");
  expect_refused_with("/model/vocab", {"a", "b"}, "model.vocab is [\"a\",\"b\"], only an object");
  expect_refused_with("/model/vocab/new", -5, "model.vocab[\"new\"] has -5");
  expect_refused_with("/model/vocab/new", 1.5, "model.vocab[\"new\"] has 1.5");
  expect_refused_with("/model/vocab/new", "7", "model.vocab[\"new\"] has 7");
  expect_refused_with("/model/vocab/new", Json::array(), "model.vocab[\"new\"] has an array");
  expect_refused_with("/model/vocab/new", Json::object(), "model.vocab[\"new\"] has an object");
  expect_refused_with("/model/vocab/new", nullptr, "model.vocab[\"new\"] has null");
  expect_refused_with("/model/vocab/new", true, "model.vocab[\"new\"] has a boolean");
  expect_refused_with("/model/vocab/new", int64_t{1} << 31, "must be below 524288");
  expect_refused_with("/model/vocab/new", std::numeric_limits<uint64_t>::max(),
                      "must be below 524288");
  expect_refused_with("/model/vocab/new", 800, "model.vocab has the id 800 twice");
  expect_refused_with("/model/vocab/", 3000, "has an empty text");
  expect_refused(with_text("\"vocab\":{", "\"vocab\":{\"" + std::string(1 << 20, 'x') + "\":3000,"),
                 "a text of 1048576 bytes");
  const std::string doubled = R"("vocab":{"zz":3000,"zz":3001,)";
  expect_refused(with_text("\"vocab\":{", doubled), "the token \"zz\" twice");
  expect_refused(with_text("\"vocab\":{", R"("vocab":{"\u4f60":3000,"\u4f60":3001,)"),
                 "the token \"\u4f60\" twice");
  Json json = good();
  json["model"]["vocab"].erase("\u0120");  // the blank
  expect_refused(dump_json(json), "no token for the single byte 32");
}

TEST(TokenizerFile, too_many_tokens_are_refused) {
  std::string many = "\"vocab\":{";
  for (int i = 0; i < 1'000'000; ++i) many += concat("\"", i, "x\":", i % 500'000, ",");
  expect_refused(with_text("\"vocab\":{", many), "is one entry too many");
}

TEST(TokenizerFile, ids_without_a_token_are_a_warning) {
  std::string log;
  set_log_sink([&](LogLevel, std::string_view, std::string_view line) { log += line; });
  expect_accepted("/model/vocab/new", 3010);
  set_log_sink({});
  EXPECT_EQ(log, "t.json: 10 of 3011 ids have no token");
}

TEST(TokenizerFile, tokens_outside_the_byte_alphabet_are_out_of_reach) {
  Json json = good();
  json["model"]["vocab"]["\u4f60"] = 3000;   // no text becomes it: U+4F60 is three bytes
  json["model"]["vocab"]["e\u0301"] = 3001;  // and so is é in two code points
  json["model"]["vocab"]["a b"] = 3002;      // a blank is written U+0120
  const Tokenizer tokenizer = Tokenizer::parse(dump_json(json), "", "t.json");
  for (const int32_t id : tokenizer.encode("\u4f60 e\u0301 a b")) EXPECT_LT(id, 3000);
  EXPECT_EQ(tokenizer.size(), 3003);
}

TEST(TokenizerFile, broken_merges_are_refused) {
  expect_refused_with("/model/merges", Json::object(), "model.merges is {}, only an array");
  expect_refused_with("/model/merges/0", {"a", "nothing\u0120like it"},
                      "model.merges[0] names \"nothing\u0120like it\"");
  expect_refused_with("/model/merges/0", {"\u4f60", "a"}, "model.merges[0] names \"\u4f60\"");
  expect_refused_with("/model/merges/0", {"q", "q"},
                      "makes of \"q\" and \"q\" a token that is not in the vocabulary");
  expect_refused_with("/model/merges/1", good()["model"]["merges"][0],
                      "model.merges[1] occurs twice");
  expect_refused_with("/model/merges/1", {"a"}, "model.merges[1] has 1 parts");
  expect_refused_with("/model/merges/1", {"a", "b", "c"},
                      "model.merges[1] has more than two parts");
  expect_refused_with("/model/merges/1", {"", "a"}, "has an empty text");
  expect_refused_with("/model/merges/1", "ab", "model.merges[1] is ab, must be two parts");
  expect_refused_with("/model/merges/1", "a b c", "must be two parts");
  expect_refused_with("/model/merges/1", " a", "has an empty text");
  expect_refused_with("/model/merges/1", 7, "model.merges[1] has 7");
  expect_refused_with("/model/merges/1", {7, 8}, "model.merges[1] has 7");
  expect_refused_with("/model/merges/1", Json::array({Json::array({"a", "b"})}),
                      "model.merges[1] has an array");
  std::string many = "\"merges\":[";
  for (size_t i = 0; i <= kMaxMerges; ++i) many += "\"a b\",";
  expect_refused(with_text("\"merges\":[", many), "more than 1048576 entries");
}

TEST(TokenizerFile, broken_added_tokens_are_refused) {
  expect_refused_with("/added_tokens", "none", "added_tokens is \"none\", only an array");
  expect_refused_with("/added_tokens/3/lstrip", true, "added_tokens[3] has lstrip true");
  expect_refused_with("/added_tokens/3/rstrip", true, "added_tokens[3] has rstrip true");
  expect_refused_with("/added_tokens/3/single_word", true, "added_tokens[3] has single_word true");
  expect_refused_with("/added_tokens/3/content", "", "added_tokens[3] has an empty content");
  expect_refused_with("/added_tokens/3/content", std::string(257, 'x'), "more than 256 bytes");
  expect_refused_with("/added_tokens/3/content", 5, "added_tokens[3] has 5");
  expect_refused_with("/added_tokens/3/content", "<|pad|>", "has the content \"<|pad|>\" again");
  expect_refused_with("/added_tokens/3/content", "<|new|>", "the id 3, which another token has");
  expect_refused_with("/added_tokens/3/id", 4, "the id 4, the vocabulary has it as 3");
  expect_refused_with("/added_tokens/3/id", -1, "added_tokens[3] has -1");
  expect_refused_with("/added_tokens/3/id", int64_t{1} << 31, "must be below 524288");
  expect_refused_with("/added_tokens/3/id", "3", "added_tokens[3] has 3");
  expect_refused_with("/added_tokens/3/other", 1, "added_tokens[3] has 1");
  expect_refused_with("/added_tokens/3/other", false, "added_tokens[3] has other");
  expect_refused_with("/added_tokens/3", "<|x|>", "has <|x|> in a place");
  expect_refused_with("/added_tokens/3", {{"id", 3000}}, "lacks id or content");
  expect_refused_with("/added_tokens/3", {{"content", "<|x|>"}}, "lacks id or content");
  expect_refused(
      with_text("{\"content\":\"<|pad|>\"", "{\"content\":\"<|x|>\",\"content\":\"<|pad|>\""),
      "the key \"content\" twice");
  Json json = good();
  json["added_tokens"][0]["content"] = "(?:.*)+";  // an expression is a text like any other
  json["added_tokens"][0]["id"] = 3000;
  EXPECT_EQ(Tokenizer::parse(dump_json(json), "", "t.json").encode("a(?:.*)+").back(), 3000);
}

TEST(TokenizerFile, broken_documents_are_refused) {
  const std::string& text = good_text();
  expect_refused("", "not acceptable JSON at offset");
  expect_refused("[]", "the document is [], only an object");
  expect_refused("\xEF\xBB\xBF" + text, "not acceptable JSON");
  expect_refused(text + "x", "not acceptable JSON");
  expect_refused(text.substr(0, text.size() / 2), "not acceptable JSON");
  expect_refused(std::string(100'000, '['), "nested deeper than 16");
  expect_refused(with_text("\"vocab\":{", "\"vocab\":{\"\xFF\":3000,"), "not acceptable JSON");
  expect_refused(with_text("\"vocab\":{", "\"vocab\":{\"\\ud800\":3000,"), "not acceptable JSON");
  expect_refused(with_text("\"normalizer\":", "\"normalizer\":null,\"normalizer\":"),
                 "has the key \"normalizer\" twice");
  expect_refused(with_text("\"vocab\":{", "\"vocab\":{},\"vocab\":{"),
                 "has the key \"vocab\" twice");
  expect_refused(std::string(kMaxTokenizerBytes + 1, ' '), "at most 67108864 are read");
}

TEST(TokenizerFile, cut_files_are_refused_wherever_they_are_cut) {
  const std::string& text = good_text();
  for (size_t length = 0; length < text.size(); length += 997) {
    EXPECT_THROW(read_tokenizer_file(text.substr(0, length), "t"), Error) << length;
  }
}

TEST(TokenizerConfig, what_matters_is_read_and_checked) {
  const TokenizerConfig read = read_tokenizer_config(
      R"({"add_bos_token": true, "bos_token": {"content": "<s>"}, "tokenizer_class": "X", "other": [1]})",
      "c");
  EXPECT_TRUE(read.add_bos_token);
  EXPECT_EQ(read.bos_token, "<s>");
  EXPECT_EQ(read.tokenizer_class, "X");
  EXPECT_FALSE(read_tokenizer_config("", "c").add_bos_token);
  for (const char* text : {"[]", "{", R"({"add_bos_token": 1})", R"({"bos_token": 1})",
                           R"({"bos_token": {"content": 1}})", R"({"tokenizer_class": []})"}) {
    EXPECT_THROW(read_tokenizer_config(text, "c"), Error) << text;
  }
}

TEST(TokenizerConfig, another_class_is_a_warning) {
  std::string log;
  set_log_sink([&](LogLevel, std::string_view, std::string_view line) { log += line; });
  Tokenizer::parse(good_text(), R"({"tokenizer_class": "LlamaTokenizerFast"})", "t.json");
  EXPECT_NE(log.find("tokenizer_class is LlamaTokenizerFast"), std::string::npos) << log;
  log.clear();
  Tokenizer::parse(good_text(), R"({"tokenizer_class": "PreTrainedTokenizerFast"})", "t.json");
  set_log_sink({});
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace kani
