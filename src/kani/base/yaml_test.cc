#include "kani/base/yaml.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani {
namespace {

void expect_refused(std::string_view text, std::string_view reason, const YamlLimits& limits = {}) {
  try {
    parse_yaml(text, "test.yaml", limits);
    ADD_FAILURE() << "accepted: " << text.substr(0, 60);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos);
    EXPECT_TRUE(what.starts_with("test.yaml: ")) << what;
    EXPECT_NE(what.find(reason), std::string::npos) << what;
  }
}

YamlValue scalar(std::string_view text) { return parse_yaml(text, "t"); }

TEST(Yaml, block_and_flow_style_give_the_same_tree) {
  for (const char* text : {"a:\n  b:\n  - 1\n  - x y\nc: true\n", "{a: {b: [1, x y]}, c: true}"}) {
    const YamlValue root = parse_yaml(text, "t");
    ASSERT_NE(root.find("a"), nullptr);
    const YamlValue* list = root.find("a")->find("b");
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->items.size(), 2u);
    EXPECT_EQ(list->items[0].integer(), 1);
    EXPECT_EQ(list->items[1].text, "x y");
    EXPECT_EQ(root.find("c")->boolean(), true);
    EXPECT_EQ(root.find("d"), nullptr);
  }
}

TEST(Yaml, lines_are_counted_from_one) {
  const YamlValue root = parse_yaml("a: 1\nb:\n  c: 2\n", "t");
  EXPECT_EQ(root.find("a")->line, 1u);
  EXPECT_EQ(root.find("b")->find("c")->line, 3u);
}

TEST(Yaml, integers_are_strict) {
  EXPECT_EQ(scalar("22050").integer(), 22050);
  EXPECT_EQ(scalar("-7").integer(), -7);
  for (const char* text : {"\"7\"", "07", "0o17", "0x1F", "1e3", "1.0", "1:30", "+7", "-", "1_000",
                           "yes", "~", "9223372036854775808", "[1]"}) {
    EXPECT_EQ(scalar(text).integer(), std::nullopt) << text;
  }
}

TEST(Yaml, booleans_and_numbers_are_strict) {
  EXPECT_EQ(scalar("false").boolean(), false);
  for (const char* text : {"yes", "on", "True", "'true'", "1"}) {
    EXPECT_EQ(scalar(text).boolean(), std::nullopt) << text;
  }
  EXPECT_EQ(scalar("0.001").number(), 0.001);
  EXPECT_EQ(scalar("1e-3").number(), 0.001);
  for (const char* text : {".inf", ".nan", "inf", "1e999", "'1'", "0x1p3", "1.2.3"}) {
    EXPECT_EQ(scalar(text).number(), std::nullopt) << text;
  }
}

TEST(Yaml, what_could_hide_something_is_refused) {
  expect_refused("a: &x [1]\nb: *x\n", "line 1: anchor");
  expect_refused("a: *x\n", "line 1");
  expect_refused("a: &a [*a]\n", "anchor");
  expect_refused("a: !!python/object:os.system x\n", "tag");
  expect_refused("a: !!binary aGk=\n", "tag");
  expect_refused("<<: {a: 1}\n", "merge key");
  expect_refused("a: 1\na: 2\n", "line 2: key \"a\" stands twice");
  expect_refused("a: 1\n---\nb: 2\n", "second YAML document");
  expect_refused("? [a, b]\n: 1\n", "key that is a list");
}

TEST(Yaml, broken_text_is_refused) {
  expect_refused("a: [1, 2\n", "line");
  expect_refused("a: b: c\n", "line");
  expect_refused(
      "\xEF\xBB\xBF"
      "a: 1\n",
      "byte order mark");
  expect_refused(std::string_view("a\0:\0 \0", 6), "control character");
  expect_refused("a: \xFF\n", "invalid UTF-8 at offset 3");
}

TEST(Yaml, limits_hold) {
  expect_refused(std::string(1000, '[') + std::string(1000, ']'), "nested levels");
  expect_refused("[1, 2, 3]", "more than 3 values", {.values = 3});
  expect_refused("a: " + std::string(100, 'x'), "expected at most 50", {.bytes = 50});
  EXPECT_EQ(parse_yaml("[[1]]", "t", {.depth = 2}).items[0].items[0].integer(), 1);
  expect_refused("[[1]]", "more than 1 nested", {.depth = 1});
}

TEST(Yaml, nothing_is_a_null) {
  EXPECT_EQ(parse_yaml("", "t").kind, YamlValue::Kind::kNull);
  EXPECT_EQ(parse_yaml("# only a comment\n", "t").kind, YamlValue::Kind::kNull);
  EXPECT_EQ(parse_yaml("a:\n", "t").find("a")->kind, YamlValue::Kind::kNull);
}

}  // namespace
}  // namespace kani
