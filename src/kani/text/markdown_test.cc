// markdown_test.cc - what is left of Markdown when it is read aloud.
#include <gtest/gtest.h>

#include "kani/text/text.h"

namespace kani {
namespace {

std::string stripped(std::string_view text) {
  return normalize_text(text, {.spell_numbers = false, .strip_markdown = true});
}

struct Case {
  std::string_view markdown, text;
};

void expect_stripped(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(stripped(c.markdown), c.text) << c.markdown;
}

TEST(Markdown, headings_are_paragraphs) {
  expect_stripped({
      {"# One\ntwo", "One\n\ntwo"},
      {"###### Six ##\ntext", "Six\n\ntext"},
      {"Title\n=====\ntext", "Title\n\ntext"},
      {"Title\n---\ntext", "Title\n\ntext"},
      {"#hashtag", "#hashtag"},
      {"####### seven", "####### seven"},
  });
}

TEST(Markdown, emphasis_goes) {
  expect_stripped({
      {"*a* **b** ***c*** _d_ __e__ ~~f~~", "a b c d e f"},
      {"**strong _nested_ text**", "strong nested text"},
      {"*over\ntwo lines*", "over two lines"},
      {"snake_case_name", "snake_case_name"},
      {"2 * 3 * 4", "2 * 3 * 4"},
      {"5*3*2", "5*3*2"},
      {"a single * and **unclosed", "a single * and **unclosed"},
      {"\\*kept\\*", "*kept*"},
      {"~5 ~6", "~5 ~6"},
  });
}

TEST(Markdown, links_and_images_keep_their_text) {
  expect_stripped({
      {"a [link](http://a.b) here", "a link here"},
      {"[x](http://a.b/c_(d) \"title\") y", "x y"},
      {"![alt](a.png)", "alt"},
      {"[text][ref]\n\n[ref]: http://a.b", "text"},
      {"[not a link] and [half](", "[not a link] and [half]("},
      {"<https://example.com>", "https://example.com"},
      {"note[^1]", "note"},
      {"[**bold**](x)", "bold"},
  });
}

TEST(Markdown, code_keeps_its_text_as_it_is) {
  expect_stripped({
      {"`a *b*` c", "a *b* c"},
      {"``a ` b``", "a ` b"},
      {"`unclosed", "`unclosed"},
      {"```python\nprint(*x*)\n```\nend", "print(*x*)\n\nend"},
      {"~~~\n# no heading\n~~~", "# no heading"},
      {"```\nnever closed", "never closed"},
  });
}

TEST(Markdown, lists_quotes_and_tables_become_lines) {
  expect_stripped({
      {"- a\n- b\n  - c", "a\nb\nc"},
      {"* [x] done\n+ [ ] open", "done\nopen"},
      {"1. one\n2. two", "1. one\n2. two"},
      {"> quoted\n> text\n\nend", "quoted text\n\nend"},
      {"| A | B |\n|---|:-:|\n| 1 | *two* |\n| 3 | |", "A, B\n1, two\n3"},
      {"text:\n|---|---|\n| 1 | 2 |", "text:\n\n1, 2"},
      {"a | b\n- | -\n1 | 2\n\nx | y", "a, b\n1, 2\n\nx | y"},
  });
}

TEST(Markdown, what_is_not_text_goes) {
  expect_stripped({
      {"---\ntitle: x\n---\ntext", "text"},
      {"a <!-- gone\n\ngone --> b", "a b"},
      {"a <!-- open", "a <!-- open"},
      {"a\n\n***\n\nb", "a\n\nb"},
      {"a <b>bold</b> c", "a bold c"},
      {"a<br>b", "a\nb"},
      {"&amp; &lt;x&gt; &#8212; &#x41; &unknown; &#0; &#xFDD0;",
       "& <x> \u2014 A &unknown; &#0; &#xFDD0;"},
      {"hard  \nbreak and\\\nanother", "hard\nbreak and\nanother"},
  });
}

TEST(Markdown, control_tokens_are_plain_text) {
  EXPECT_EQ(stripped("<|startoftext|>hi"), "<|startoftext|>hi");
  EXPECT_EQ(normalize_text("<|startoftext|>hi", {}), "startoftext hi");
}

TEST(Markdown, hurts_nobody_when_broken) {
  for (const char* text :
       {"",   "\n", "[[[[",  "]](((", "`",     "```", "|",  "|-|", "<",        "<a",     "&",
        "\\", "#",  "> > >", "***",   "- [ ]", "[^",  "![", "---", "---\n---", "* * *\n"}) {
    EXPECT_NO_THROW(stripped(text)) << text;
  }
}

}  // namespace
}  // namespace kani
