// arguments_test.cc - the command line of kani-train: what it takes and what it refuses.
#include "arguments.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::train {
namespace {

// What a command line makes, or what it is refused with.
struct Parsed {
  TrainConfig config;
  std::string refusal;
};
Parsed parse(std::vector<std::string> words) {
  CLI::App app("", "kani-train");
  Arguments arguments;
  declare(app, arguments);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(words);
    return {configured(arguments), ""};
  } catch (const CLI::ParseError& error) {
    return {{}, error.what()};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

TEST(Arguments, parity_may_be_followed_by_whose_rules_it_means) {
  const std::vector<std::vector<std::string>> ways{{"--parity"},
                                                   {"--parity", "upstream"},
                                                   {"--parity=upstream"},
                                                   {"--parity", "--model", "base"},
                                                   {"--parity", "upstream", "--model", "base"}};
  for (const auto& words : ways) {
    const Parsed parsed = parse(words);
    EXPECT_EQ(parsed.refusal, "") << words.size();
    EXPECT_TRUE(parsed.config.parity) << words.size();
    EXPECT_EQ(parsed.config.model_id, words.size() > 2 ? "base" : "");
  }
  EXPECT_FALSE(parse({"--model", "base"}).config.parity);
  EXPECT_NE(parse({"--parity", "ours"}).refusal, "");
}

TEST(Arguments, a_number_of_updates_is_one_or_more) {
  EXPECT_EQ(parse({"--steps", "5"}).config.max_steps, 5);
  EXPECT_EQ(parse({}).config.max_steps, 0);
  for (const char* wrong : {"-5", "0", "x", "1.5", ""}) {
    const std::string why = parse({"--steps", wrong}).refusal;
    EXPECT_NE(why.find("--steps"), std::string::npos) << wrong << ": " << why;
    EXPECT_NE(why.find("1 or more"), std::string::npos) << wrong << ": " << why;
  }
}

TEST(Arguments, an_average_must_be_kept_to_be_exported) {
  EXPECT_NE(parse({"--averaged"}).refusal.find("ema_decay"), std::string::npos);
  EXPECT_EQ(parse({"--averaged", "--set", "ema_decay=0.9"}).refusal, "");
}

TEST(Arguments, what_belongs_to_another_flag_is_asked_for) {
  EXPECT_NE(parse({"--bf16"}).refusal.find("--export"), std::string::npos);
  EXPECT_EQ(parse({"--bf16", "--export", "x"}).refusal, "");
  EXPECT_NE(parse({"--replay", "set20"}).refusal.find("DATA=SHARE"), std::string::npos);
  EXPECT_EQ(parse({"--replay", "set20=0.2"}).config.replay_share, 0.2);
}

TEST(Arguments, a_setting_that_is_refused_has_no_line) {
  for (const char* setting : {"seed=x", "sede=1", "fp16=true"}) {
    const std::string why = parse({"--set", setting}).refusal;
    EXPECT_NE(why.find("--set: "), std::string::npos) << why;
    EXPECT_EQ(why.find("line"), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace kani::train
