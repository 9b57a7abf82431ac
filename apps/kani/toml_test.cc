// toml_test.cc - what kani.toml may hold and how its mistakes are told.
#include "apps/kani/toml.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

std::string problem(std::string_view text) {
  try {
    parse_toml(text, "t");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Toml, reads_sections_strings_numbers_and_arrays) {
  const auto entries = parse_toml(
      "# comment\nmodel = \"a#b \\u00e9\"  # behind\r\nthreads=2\n[say]\nvoice = 'C:\\x'\nstream = "
      "true\n"
      "input-file = [ \"a\", # one\n 'b', ]\n",
      "t");
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].key, "model");
  EXPECT_EQ(entries[0].values, std::vector<std::string>{"a#b é"});
  EXPECT_EQ(entries[1].values, std::vector<std::string>{"2"});
  EXPECT_EQ(entries[1].section, "");
  EXPECT_EQ(entries[2].section, "say");
  EXPECT_EQ(entries[2].values, std::vector<std::string>{"C:\\x"});
  EXPECT_EQ(entries[3].values, std::vector<std::string>{"true"});
  EXPECT_EQ(entries[4].values, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(entries[4].line, 7u);
}

TEST(Toml, an_empty_file_has_no_entries) {
  EXPECT_TRUE(parse_toml("", "t").empty());
  EXPECT_TRUE(parse_toml("\xEF\xBB\xBF\n  # only a comment", "t").empty());
}

TEST(Toml, mistakes_are_told_with_their_line) {
  EXPECT_EQ(problem("a = 1\nnonsense\n"), "t: line 2: expected = behind nonsense");
  EXPECT_EQ(problem("a = b\n"), "t: line 1: put b in quotes");
  EXPECT_EQ(problem("a = \"x\n"), "t: line 1: a string has no end");
  EXPECT_EQ(problem("a = [1, 2\n"), "t: line 2: expected , or ] in the array");
  EXPECT_EQ(problem("a = 1 2\n"), "t: line 1: found '2' behind the value");
  EXPECT_EQ(problem("a = 1\na = 2\n"), "t: line 2: a was already given in line 1");
  EXPECT_EQ(problem("a.b = 1\n"),
            "t: line 1: dotted keys are not understood here, use a [section]");
  EXPECT_EQ(problem("a = {}\n"), "t: line 1: inline tables are not understood here");
  EXPECT_EQ(problem("[x\n"), "t: line 1: expected ] at the end of the section's name");
  EXPECT_EQ(problem("a = \"\\q\"\n"), "t: line 1: unknown escape \\q");
  EXPECT_EQ(problem("a = \"\\ud800\"\n"), "t: line 1: an escape names no character");
  EXPECT_EQ(problem("a = \"\xff\"\n"), "t: invalid UTF-8 at offset 5");
}

TEST(Toml, every_prefix_of_a_file_is_read_or_refused) {
  const std::string text = "a = \"x\\u00e9\"\n[s]\nb = ['1', 2,]\nc = -1.5e3 # end\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    try {
      EXPECT_LE(parse_toml(text.substr(0, length), "t").size(), 3u);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    }
  }
}

}  // namespace
}  // namespace kani::cli
