// unicode_classes_test.cc - the generated table against the list it was made from.
#include "kani/tokens/unicode_classes.h"

#include <gtest/gtest.h>

#include <vector>

#include "kani/base/file.h"
#include "kani/base/json.h"

namespace kani {
namespace {

TEST(UnicodeClasses, every_code_point_has_the_reference_librarys_class) {
  const Json reference = parse_json(
      read_file(KANI_TEST_DATA "/lm/tokenizer/unicode_classes.json", 1 << 20), "the test");
  std::vector<CharClass> expected(0x110000, CharClass::kOther);
  const std::pair<const char*, CharClass> classes[] = {
      {"L", CharClass::kLetter}, {"N", CharClass::kNumber}, {"S", CharClass::kSpace}};
  for (const auto& [name, cls] : classes) {
    for (const Json& range : reference[name]) {
      for (size_t c = range[0]; c <= range[1].get<size_t>(); ++c) expected[c] = cls;
    }
  }
  for (char32_t c = 0; c < 0x110000; ++c)
    ASSERT_EQ(char_class(c), expected[c]) << std::hex << size_t{c};
}

TEST(UnicodeClasses, values_that_are_no_code_points_are_other) {
  EXPECT_EQ(char_class(0x110000), CharClass::kOther);
  EXPECT_EQ(char_class(0xFFFFFFFF), CharClass::kOther);
}

}  // namespace
}  // namespace kani
