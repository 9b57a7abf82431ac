// config_test.cc - keys in both directions, upstream's files as they are, mistakes by name.
#include "kani/train/config.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::train {
namespace {

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(TrainConfig, upstreams_files_are_read_as_they_are) {
  TrainConfig config;
  apply_yaml(
      "training:\n  output_dir: ./ck\n  save_steps: 5000\n  num_train_epochs: 5\n"
      "  per_device_train_batch_size: 6\n  learning_rate: 9.0e-4\n  alpha_lr_ratio: 1.5\n"
      "  bf16: true\n  report_to: [\"wandb\"]\nwandb:\n  project: my-tts\n  entity: null\n",
      "training.yaml", config);
  apply_yaml(
      "model:\n  model_id: base\n  audio_step: 1\n  use_learnable_rope: true\n"
      "  first_train: true\n  audio_tokens_start: 64410\n  alpha_min: 0.1\n",
      "model.yaml", config);
  EXPECT_EQ(config.output_dir, "./ck");
  EXPECT_EQ(config.num_train_epochs, 5);
  EXPECT_EQ(config.optimizer.learning_rate, 9e-4);
  EXPECT_EQ(config.model_id, "base");
  EXPECT_TRUE(config.bf16);
  EXPECT_TRUE(config.growth.first_train);
  EXPECT_EQ(config.growth.use_learnable_rope, true);
  EXPECT_EQ(config.growth.alpha_min, 0.1);
  EXPECT_EQ(config.growth.alpha_max, std::nullopt);
  EXPECT_EQ(config.growth.rows(), 80538);
}

TEST(TrainConfig, what_is_resolved_is_read_back) {
  TrainConfig config;
  config.model_id = "a \"quoted\" name";
  config.data = {"one", "two"};
  config.optimizer.learning_rate = 1.25e-5;
  config.packing = Packing::kNone;
  config.parity = true;
  config.freeze = {"embed"};
  config.growth.audio_tokens_start = 410;
  TrainConfig again;
  again.growth.alpha_max = 3;  // null in a file leaves it open again
  apply_yaml(resolved_yaml(config), "resolved", again);
  EXPECT_EQ(resolved_yaml(again), resolved_yaml(config));
  EXPECT_EQ(again.optimizer.learning_rate, 1.25e-5);
}

TEST(TrainConfig, places_do_not_change_the_numbers) {
  TrainConfig a, b;
  b.output_dir = "elsewhere";
  b.save_steps = 1;
  EXPECT_EQ(numeric_yaml(a), numeric_yaml(b));
  b.seed = 1;
  EXPECT_NE(numeric_yaml(a), numeric_yaml(b));
}

TEST(TrainConfig, an_unknown_key_names_the_nearest) {
  TrainConfig config;
  const std::string why =
      refusal([&] { apply_yaml("training:\n  learning_rat: 1\n", "f.yaml", config); });
  EXPECT_NE(why.find("f.yaml"), std::string::npos) << why;
  EXPECT_NE(why.find("line 2"), std::string::npos) << why;
  EXPECT_NE(why.find("\"learning_rate\""), std::string::npos) << why;
}

TEST(TrainConfig, wrong_values_name_key_and_rule) {
  TrainConfig config;
  for (const char* setting :
       {"seed=-1", "seed=x", "learning_rate=fast", "parity=maybe", "packing=tight"}) {
    const std::string text = setting, key = text.substr(0, text.find('='));
    const std::string why =
        refusal([&] { apply_setting(key, text.substr(key.size() + 1), config); });
    EXPECT_NE(why.find(key), std::string::npos) << setting << ": " << why;
  }
  EXPECT_NE(refusal([&] { TrainConfig().validate(); }).find("model_id"), std::string::npos);
  config.model_id = "m";
  config.data = {"d"};
  config.pack_length = 3;
  EXPECT_NE(refusal([&] { config.validate(); }).find("pack_length"), std::string::npos);
}

TEST(TrainConfig, a_flag_takes_lists_as_files_have_them) {
  TrainConfig config;
  apply_setting("lora_targets", "[q_proj, \"v_proj\"]", config);
  EXPECT_EQ(config.lora.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
  apply_setting("lora_targets", "w1", config);
  EXPECT_EQ(config.lora.targets, std::vector<std::string>{"w1"});
}

TEST(TrainConfig, schedules) {
  OptimizerSettings s{
      .learning_rate = 1, .warmup_steps = 4, .total_steps = 20, .warm_from_zero = true};
  EXPECT_EQ(schedule_factor(s, 0), 0);
  EXPECT_EQ(schedule_factor(s, 2), 0.5);
  EXPECT_EQ(schedule_factor(s, 4), 1);
  EXPECT_NEAR(schedule_factor(s, 12), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor(s, 20), 0, 1e-12);
  s.warm_from_zero = false;
  EXPECT_EQ(schedule_factor(s, 0), 0.25);
  s.schedule = "linear";
  EXPECT_NEAR(schedule_factor(s, 12), 0.5, 1e-12);
  s.min_lr_ratio = 0.1;
  EXPECT_NEAR(schedule_factor(s, 20), 0.1, 1e-12);
  s.hold_share = 0.5;  // of the 16 updates behind the warm-up
  EXPECT_EQ(schedule_factor(s, 12), 1);
  EXPECT_NEAR(schedule_factor(s, 16), 0.55, 1e-12);
  s.schedule = "constant_with_warmup";
  EXPECT_EQ(schedule_factor(s, 19), 1);
  s.schedule = "polynomial";
  EXPECT_THROW(validate(s), Error);
}

}  // namespace
}  // namespace kani::train
