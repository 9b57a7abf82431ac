#include "kani/base/utf8.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

TEST(Utf8, invalid_bytes_become_one_replacement_per_maximal_subpart) {
  EXPECT_EQ(replace_invalid_utf8("a\xF0\x9F\x98z"), "a\uFFFDz");          // cut emoji: one
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong: two
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate: three
  EXPECT_EQ(replace_invalid_utf8("ok \u00E4"), "ok \u00E4");
}

TEST(Utf8, first_invalid_offset_is_found) {
  EXPECT_EQ(find_invalid_utf8("ab\xFFz"), 2u);
  EXPECT_FALSE(find_invalid_utf8("\U0001F600"));
  for (size_t ascii = 0; ascii < 20; ++ascii) {  // ASCII is skipped by eights
    EXPECT_EQ(find_invalid_utf8(std::string(ascii, 'a') + "\xC3" + std::string(10, 'b')), ascii);
    EXPECT_FALSE(find_invalid_utf8(std::string(ascii, 'a') + "\u00E4"));
  }
}

TEST(Utf8, every_scalar_value_survives_the_round_trip) {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, value);
    const CodePoint point = decode_utf8(text);
    ASSERT_TRUE(point.valid);
    ASSERT_EQ(point.value, value);
    ASSERT_EQ(point.length, text.size());
  }
}

}  // namespace
}  // namespace kani
