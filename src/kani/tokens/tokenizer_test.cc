// tokenizer_test.cc - texts to ids against the reference library's, and what the five steps
// promise.
#include "kani/tokens/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

const std::string kData = KANI_TEST_DATA;

Json document(const std::string& path) {
  return parse_json(read_file(kData + path, 1 << 24), "the test");
}

const Tokenizer& reference() {
  static const Tokenizer tokenizer = Tokenizer::load(kData + "/lm/tokenizer");
  return tokenizer;
}

/// The reference tokenizer with one change.
template <typename Change>
Tokenizer changed(Change change, std::string_view config = "") {
  Json json = document("/lm/tokenizer/tokenizer.json");
  change(json);
  return Tokenizer::parse(dump_json(json), config, "test");
}

/// 445 texts with their ids.
const Json& reference_strings() {
  static const Json strings = document("/lm/tokenizer/encode.json")["strings"];
  return strings;
}

std::string from_base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            .find(c);
    if (value == std::string_view::npos) break;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    if ((count += 6) >= 8) out.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return out;
}

TEST(Tokenizer, all_reference_strings_have_the_reference_ids) {
  ASSERT_EQ(reference_strings().size(), 445u);
  for (const Json& string : reference_strings()) {
    EXPECT_EQ(Json(reference().encode(string["text"].get<std::string>())), string["ids"])
        << string["text"];
  }
}

TEST(Tokenizer, invalid_utf8_is_replaced_as_the_reference_does) {
  const Json golden = document("/lm/tokenizer/encode.json");
  ASSERT_EQ(golden["invalid_utf8"].size(), 21u);
  for (const Json& string : golden["invalid_utf8"]) {
    const std::string bytes = from_base64(string["bytes_base64"].get<std::string>());
    EXPECT_EQ(Json(reference().encode(bytes)), string["ids"]) << string["text"];
    EXPECT_EQ(reference().encode(string["text"].get<std::string>()), reference().encode(bytes));
  }
}

TEST(Tokenizer,
     texts_of_the_trainer_have_their_ids) {  // GPT-2's split rule, merges before whole pieces
  const Tokenizer tokenizer = Tokenizer::load(kData + "/training/tokenizer");
  const Json golden = document("/training/goldens.json")["tokenizer"];
  ASSERT_EQ(golden["texts"].size(), golden["ids"].size());
  ASSERT_GT(golden["texts"].size(), 10u);
  for (size_t i = 0; i < golden["texts"].size(); ++i) {
    EXPECT_EQ(Json(tokenizer.encode(golden["texts"][i].get<std::string>())), golden["ids"][i])
        << golden["texts"][i];
  }
}

TEST(Tokenizer, sizes_count_added_tokens_or_not) {
  EXPECT_EQ(reference().size(), 3000);
  EXPECT_EQ(reference().vocabulary_size(), 3000);
  const Tokenizer with_custom = Tokenizer::load(kData + "/lm/case_b");
  EXPECT_EQ(with_custom.size(), 1966);
  EXPECT_EQ(with_custom.vocabulary_size(), 1700);
}

TEST(Tokenizer, plain_text_names_no_added_token) {
  const std::string text = "<|im_end|> and <custom_token_70>";
  const Tokenizer tokenizer = Tokenizer::load(kData + "/lm/case_b");
  const std::vector<int32_t> matched = tokenizer.encode(text, AddedTokens::kMatch);
  EXPECT_EQ(std::count(matched.begin(), matched.end(), 7), 1);
  EXPECT_EQ(std::count(matched.begin(), matched.end(), 1770), 1);
  const std::vector<int32_t> plain = tokenizer.encode(text, AddedTokens::kPlainText);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 7), 0);
  EXPECT_LT(*std::max_element(plain.begin(), plain.end()), tokenizer.vocabulary_size());
  EXPECT_EQ(tokenizer.encode("no markup"), tokenizer.encode("no markup", AddedTokens::kPlainText));
}

TEST(Tokenizer, tokens_that_are_not_normalized_are_found_before_all_others) {
  const Tokenizer tokenizer = changed([](Json& json) {
    const auto token = [](int id, const char* content, bool normalized) {
      return Json{
          {"id", id},        {"content", content}, {"normalized", normalized}, {"special", false},
          {"lstrip", false}, {"rstrip", false},    {"single_word", false}};
    };
    json["added_tokens"].push_back(token(3000, "<a><b>", true));
    json["added_tokens"].push_back(token(3001, "<b>", false));
    json["added_tokens"].push_back(token(3002, "<a>", true));
  });
  EXPECT_EQ(tokenizer.encode("<a><b>"),
            (std::vector<int32_t>{1, 3002, 3001}));  // one pass would give 3000
  EXPECT_EQ(tokenizer.bytes(3000), "<a><b>");
}

TEST(Tokenizer, bytes_of_the_ids_give_the_text_back) {
  for (const Json& string : reference_strings()) {
    std::string text;
    for (const int32_t id : reference().encode(string["text"].get<std::string>()))
      text += reference().bytes(id);
    EXPECT_EQ(text, "<|startoftext|>" + string["text"].get<std::string>());
  }
  EXPECT_EQ(reference().bytes(-1), "");
  EXPECT_EQ(reference().bytes(3000), "");
}

TEST(Tokenizer, merges_may_be_strings_or_pairs) {
  const Tokenizer strings = changed([](Json& json) {
    for (Json& merge : json["model"]["merges"])
      merge = concat(merge[0].get<std::string>(), " ", merge[1].get<std::string>());
  });
  for (const Json& string : reference_strings()) {
    EXPECT_EQ(Json(strings.encode(string["text"].get<std::string>())), string["ids"]);
  }
}

TEST(Tokenizer, whole_pieces_are_looked_up_only_with_ignore_merges) {
  const Tokenizer merging = changed([](Json& json) { json["model"]["ignore_merges"] = false; });
  int different = 0;
  for (const Json& string : reference_strings()) {
    different += Json(merging.encode(string["text"].get<std::string>())) != string["ids"];
  }
  EXPECT_EQ(different, 61);  // so says the reference data's README
}

TEST(Tokenizer, without_template_bos_is_added_only_if_the_config_asks) {
  const auto drop = [](Json& json) { json["post_processor"] = nullptr; };
  EXPECT_TRUE(changed(drop).encode("").empty());
  EXPECT_TRUE(
      changed(drop, R"({"add_bos_token": false, "bos_token": "<|im_end|>"})").encode("").empty());
  EXPECT_EQ(changed(drop, R"({"add_bos_token": true, "bos_token": "<|im_end|>"})").encode(""),
            std::vector<int32_t>{7});
  EXPECT_EQ(changed(drop, R"({"add_bos_token": true, "bos_token": {"content": "<|startoftext|>"}})")
                .encode(""),
            std::vector<int32_t>{1});
  EXPECT_EQ(
      changed([](Json&) {}, R"({"add_bos_token": true, "bos_token": "<|im_end|>"})").encode(""),
      std::vector<int32_t>{1});  // the template counts
  EXPECT_THROW(changed(drop, R"({"add_bos_token": true, "bos_token": "<s>"})"), Error);
  EXPECT_THROW(changed(drop, R"({"add_bos_token": true})"), Error);
}

TEST(Tokenizer, a_template_may_put_ids_on_both_sides) {
  const Tokenizer tokenizer = changed([](Json& json) {
    Json& processor = json["post_processor"]["processors"][1];
    processor["special_tokens"]["end"] = {
        {"id", "end"}, {"ids", {7, 2}}, {"tokens", {"<|im_end|>", "<|endoftext|>"}}};
    processor["single"].push_back({{"SpecialToken", {{"id", "end"}, {"type_id", 0}}}});
  });
  EXPECT_EQ(tokenizer.encode(""), (std::vector<int32_t>{1, 7, 2}));
}

TEST(Tokenizer, a_real_size_vocabulary_loads) {
  // 64,400 entries in the vocabulary and custom tokens up to 80,537: every pair of bytes, then
  // triples.
  Json json = document("/lm/tokenizer/tokenizer.json");
  std::vector<std::string> symbols;
  for (const auto& [text, id] : json["model"]["vocab"].items()) {
    if (utf8_length(text) == 1) symbols.push_back(text);
  }
  ASSERT_EQ(symbols.size(), 256u);
  Json& merges = json["model"]["merges"];
  merges = Json::array();
  json["model"]["vocab"] = Json::object();
  json["added_tokens"] = Json::array();
  Json& vocabulary = json["model"]["vocab"];
  vocabulary["<|pad|>"] = 0;
  vocabulary["<|startoftext|>"] = 1;
  for (const std::string& symbol : symbols) vocabulary[symbol] = vocabulary.size();
  for (const std::string& left : symbols) {
    for (size_t i = 0; i < 250; ++i) {
      vocabulary[left + symbols[i]] = vocabulary.size();
      merges.push_back({left, symbols[i]});
    }
  }
  for (size_t i = 0; vocabulary.size() < 64400; ++i)
    vocabulary["<|reserved_" + std::to_string(i) + "|>"] = vocabulary.size();
  for (int id = 64400; id < 80538; ++id) {
    json["added_tokens"].push_back({{"id", id},
                                    {"content", concat("<custom_token_", id - 64400, ">")},
                                    {"normalized", true},
                                    {"special", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"single_word", false}});
  }
  const Tokenizer tokenizer = Tokenizer::parse(dump_json(json), "", "big");
  EXPECT_EQ(tokenizer.size(), 80538);
  const std::vector<int32_t> ids =
      tokenizer.encode("<custom_token_16137>" + symbols[7] + symbols[9]);
  EXPECT_EQ(ids[1], 80537);
}

TEST(Tokenizer, a_long_word_is_not_quadratic) {
  const std::string word(1'000'000, 'a');
  std::string text;
  for (const int32_t id : reference().encode(word)) text += reference().bytes(id);
  EXPECT_EQ(text, "<|startoftext|>" + word);
}

TEST(Tokenizer, hard_texts_of_many_kinds_survive) {
  const std::vector<std::string> units = {"a",
                                          "1",
                                          " ",
                                          "\n",
                                          "\r\n",
                                          "'",
                                          "\u0301",
                                          "\U0001F600",
                                          "\xFF",
                                          "\xF0\x9F",
                                          "\u202E",
                                          "\u200D",
                                          std::string(1, '\0'),
                                          "<|im_end|",
                                          "\uE000",
                                          "\u0085"};
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() < 10'000) text += unit;
    std::string back;
    for (const int32_t id : reference().encode(text)) back += reference().bytes(id);
    EXPECT_EQ(back, "<|startoftext|>" + replace_invalid_utf8(text));
  }
}

TEST(Tokenizer, a_folder_without_tokenizer_is_not_found) {
  try {
    Tokenizer::load(kData + "/nowhere");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace kani
