// flags_test.cc - values of flags, and the arguments that are rewritten before CLI11 sees them.
#include "apps/kani/flags.h"

#include <gtest/gtest.h>

namespace kani::cli {
namespace {

TEST(Flags, numbers_are_plain_decimals_and_nothing_else) {
  EXPECT_EQ(parse_number("0.25"), 0.25);
  EXPECT_EQ(parse_number("1e2"), 100);
  for (const char* text :
       {"", " 1", "1 ", "1x", "nan", "inf", "-inf", "0x10", "1e999", "+1", "1,5"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_integer("010"), 10);
  EXPECT_EQ(parse_integer("-3"), -3);
  for (const char* text : {"", "1.0", "0x1", "99999999999999999999", "--1"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(Flags, a_seed_is_any_64_bits_or_minus_one) {
  EXPECT_EQ(parse_seed("18446744073709551615"), std::optional<uint64_t>(UINT64_MAX));
  ASSERT_TRUE(parse_seed("-1").has_value());
  EXPECT_EQ(*parse_seed("-1"), std::nullopt);
  EXPECT_FALSE(parse_seed("-2").has_value());
  EXPECT_FALSE(parse_seed("").has_value());
}

TEST(Flags, the_lower_end_of_a_range_may_be_outside) {
  EXPECT_EQ(number_in("--x", "1", {0, 1, true}), 1);
  EXPECT_THROW(number_in("--x", "0", {0, 1, true}), Error);
  EXPECT_EQ(number_in("--x", "0", {0, 1}), 0);
  try {
    number_in("--x", "7", {0, 1, true});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "--x is 7, expected a number above 0 up to 1");
  }
}

using Words = std::vector<std::string>;

TEST(Flags, six_names_with_one_dash_and_six_with_underscores_are_rewritten) {
  EXPECT_EQ(rewrite_arguments({"say", "-hf", "-hff", "-hft", "-ngl", "-dev", "-lv"}),
            (Words{"say", "--hf-repo", "--hf-file", "--hf-token", "--gpu-layers", "--device",
                   "--log-verbosity"}));
  EXPECT_EQ(rewrite_arguments({"--length_scale=2", "--output_raw", "-hf=x"}),
            (Words{"--length-scale=2", "--output-raw", "--hf-repo=x"}));
}

TEST(Flags, nothing_else_is_rewritten) {
  const Words words = {"-d", "-device", "--top_p",      "-hfx", "text=1",
                       "--", "-hf",     "--output_raw", "--x="};
  EXPECT_EQ(rewrite_arguments(words), words);
}

TEST(Flags, a_flag_with_an_equals_sign_needs_a_value) {
  EXPECT_THROW(rewrite_arguments({"say", "--voice=", "text"}), Error);
}

}  // namespace
}  // namespace kani::cli
