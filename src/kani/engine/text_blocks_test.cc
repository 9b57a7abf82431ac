#include "kani/engine/text_blocks.h"

#include <gtest/gtest.h>

#include "kani/base/utf8.h"

namespace kani {
namespace {

std::vector<std::string> blocks_of(std::string_view text) {
  TextBlocks blocks(text, "en");
  std::vector<std::string> out;
  size_t end = 0;
  while (const auto block = blocks.next()) {
    EXPECT_EQ(block->begin, end) << "no gap";
    EXPECT_GT(block->end, block->begin);
    end = block->end;
    out.emplace_back(text.substr(block->begin, block->end - block->begin));
  }
  EXPECT_EQ(end, text.size());
  return out;
}

TEST(TextBlocks, a_short_text_is_one_block) {
  EXPECT_EQ(blocks_of("One. Two."), std::vector<std::string>{"One. Two."});
  EXPECT_TRUE(blocks_of("").empty());
}

TEST(TextBlocks, a_long_text_is_cut_where_sentences_begin) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "This is one sentence of many. ";
  const std::vector<std::string> blocks = blocks_of(text);
  EXPECT_GT(blocks.size(), 5u);
  for (const std::string& block : blocks) {
    EXPECT_LE(block.size(), 8192u);
    EXPECT_TRUE(block.starts_with("This is"));
  }
}

TEST(TextBlocks, text_without_any_boundary_is_cut_between_characters) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "\xE3\x81\x82";
  for (const std::string& block : blocks_of(text)) EXPECT_FALSE(find_invalid_utf8(block));
  EXPECT_GT(blocks_of(std::string(50000, 'a')).size(), 4u);
}

}  // namespace
}  // namespace kani
