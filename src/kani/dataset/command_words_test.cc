// Words of a command line.
#include "kani/dataset/command_words.h"

#include <gtest/gtest.h>

#include <functional>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr std::string_view kSwitches[] = {"--quiet"};

CommandWords words(const std::vector<std::string>& args) { return CommandWords(args, kSwitches); }

std::string fault(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return {};
}

TEST(CommandWords, flags_are_taken_in_any_order_and_form) {
  CommandWords all = words({"a", "--n", "3", "--x=0.5", "--quiet", "b", "--n=4"});
  EXPECT_TRUE(all.take("--quiet").has_value());
  EXPECT_EQ(all.take_number("--n", 0, 9), 3);
  EXPECT_EQ(all.take_number("--n", 0, 9), 4);
  EXPECT_EQ(all.take_number("--n", 0, 9), std::nullopt);
  EXPECT_EQ(all.take_real("--x", 0, 1), 0.5);
  EXPECT_NO_THROW(all.expect_nothing_else(2));
  EXPECT_EQ(all.rest(), (std::vector<std::string>{"a", "b"}));
}

TEST(CommandWords, faults_name_the_flag_and_what_is_allowed) {
  EXPECT_EQ(fault([] { words({"--n"}).take("--n"); }), "--n needs a value");
  EXPECT_EQ(fault([] { words({}).need("--out"); }), "--out is missing");
  EXPECT_EQ(fault([] {
              words({"--n", "x"}).take_number("--n", 1, 9);
            }),
            "--n is \"x\", must be a number from 1 to 9");
  EXPECT_NE(fault([] { words({"--x", "nan"}).take_real("--x", 0, 1); }), "");
  EXPECT_NE(fault([] { words({"--x", "0.5s"}).take_real("--x", 0, 1); }), "");
  constexpr std::string_view kChoices[] = {"mean", "self", "other"};
  EXPECT_EQ(fault([&] {
              words({"--v", "all"}).take_choice("--v", kChoices);
            }),
            "--v is \"all\", must be mean, self or other");
  EXPECT_EQ(words({}).take_choice("--v", kChoices), "mean");
  EXPECT_EQ(fault([] { words({"--wrong", "1"}).expect_nothing_else(0); }), "--wrong is not known");
  EXPECT_EQ(fault([] { words({"a"}).expect_nothing_else(0); }),
            "1 names of files given, expected 0");
}

}  // namespace
}  // namespace kani
