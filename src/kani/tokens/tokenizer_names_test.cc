// tokenizer_names_test.cc - ids get names, and nothing else in the file moves.
#include "kani/tokens/tokenizer_names.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

std::string reference() {
  return read_file(std::filesystem::path(KANI_TEST_DATA) / "training/tokenizer/tokenizer.json",
                   1 << 20);
}
Tokenizer parsed(const std::string& json) { return Tokenizer::parse(json, "", "t.json"); }

TEST(TokenizerNames, an_added_name_is_one_id_in_any_text) {
  const std::string before = reference();
  const std::string after =
      with_token_names(before, "t.json", std::vector<TokenName>{{400, "<|ky|>"}, {401, "a\"\\\n"}});
  const Tokenizer tokenizer = parsed(after);
  EXPECT_EQ(tokenizer.size(), 402);
  EXPECT_EQ(tokenizer.vocabulary_size(), 400);
  const std::vector<int32_t> plain = parsed(before).encode(": Hello");
  std::vector<int32_t> expected{1, 400};
  expected.insert(expected.end(), plain.begin() + 1, plain.end());
  EXPECT_EQ(tokenizer.encode("<|ky|>: Hello"), expected);
  EXPECT_EQ(tokenizer.encode("a\"\\\n"), (std::vector<int32_t>{1, 401}));
  // As plain text it is what it was.
  EXPECT_EQ(tokenizer.encode("<|ky|>: Hello", AddedTokens::kPlainText),
            parsed(before).encode("<|ky|>: Hello"));
}

TEST(TokenizerNames, all_other_bytes_stay) {
  const std::string before = reference();
  EXPECT_EQ(with_token_names(before, "t.json", {}), before);
  const std::string after =
      with_token_names(before, "t.json", std::vector<TokenName>{{400, "<x>"}});
  size_t same = 0, rest = 0;
  while (before[same] == after[same]) ++same;
  while (before[before.size() - 1 - rest] == after[after.size() - 1 - rest]) ++rest;
  EXPECT_GE(same + rest, before.size());
}

TEST(TokenizerNames, files_without_added_tokens_get_some) {
  const std::string model =
      reference().substr(reference().find("\"model\""));  // the last member, with the end
  const std::string empty = "{\"version\": \"1.0\", \"added_tokens\": [ ],\n" +
                            std::string(
                                "\"pre_tokenizer\": {\"type\": \"ByteLevel\", "
                                "\"add_prefix_space\": false, \"trim_offsets\": true, "
                                "\"use_regex\": true},\n") +
                            model;
  std::string none = empty;
  none.erase(none.find("\"added_tokens\": [ ],\n"), 21);
  for (const std::string& json : {empty, none})
    EXPECT_EQ(parsed(with_token_names(json, "t.json", std::vector<TokenName>{{400, "<x>"}}))
                  .encode("<x>"),
              std::vector<int32_t>{400});
}

TEST(TokenizerNames, ids_and_names_that_others_would_read_differently_are_refused) {
  const auto refused = [](const std::vector<TokenName>& names) {
    EXPECT_THROW(with_token_names(reference(), "t.json", names), Error);
  };
  refused({{399, "<x>"}});
  refused({{401, "<x>"}});
  refused({{400, "<x>"}, {402, "<y>"}});
  refused({{400, "<x>"}, {401, "<x>"}});
  refused({{400, "<|pad|>"}});
  refused({{400, ""}});
  refused({{400, std::string(257, 'x')}});
  EXPECT_THROW(with_token_names("{", "t.json", {}), Error);
}

}  // namespace
}  // namespace kani
