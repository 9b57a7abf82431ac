#include "kani/base/json.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani {
namespace {

void expect_refused(std::string_view text, const JsonLimits& limits = {}) {
  try {
    parse_json(text, "test.json", limits);
    ADD_FAILURE() << "accepted: " << text.substr(0, 40);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    EXPECT_TRUE(std::string(error.what()).starts_with("test.json: ")) << error.what();
  }
}

TEST(Json, good_documents_are_read) {
  EXPECT_EQ(parse_json(R"({"a":[1,2.5,"x",null,true]})", "t")["a"][1], 2.5);
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})", "t")["a"], 2);
}

TEST(Json, bad_documents_are_refused_in_one_line) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":NaN}", "// c\n1", "\xEF\xBB\xBF{}", "{} x",
                           "[01]", "\"\xFF\"", "1e999", "\"\\ud800\""}) {
    expect_refused(text);
  }
}

TEST(Json, limits_hold) {
  expect_refused(std::string(100000, '['));
  expect_refused("[[[1]]]", {.depth = 2});
  expect_refused("[1,2,3]", {.values = 3});
  expect_refused(R"({"a":1,"a":2})", {.refuse_duplicates = true});
}

}  // namespace
}  // namespace kani
