// config_test.cc - keys in both directions, upstream's files as they are, mistakes by name.
#include "kani/train/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/train/config_keys.h"
#include "kani/train/start.h"
#include "kani/train/test_key_rows.h"
#include "kani/train/upstream_keys.h"

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

// The shipped files, every key (training.md 3.1, 3.2).
constexpr const char* kModelFile = R"(model:
  model_id: "LiquidAI/LFM2-350M"
  text_vocab_size: 64400
  total_vocab_size: 80538
  audio_codebook_size: 4032
  tokens_per_frame: 4
  num_audio_layers: 4
  audio_tokens_start: 64410
  audio_step: 1
  pad_token_id: 64407
  attn_implementation: "flash_attention_2"
  dtype: "bfloat16"
  first_train: true
  use_learnable_rope: true
  alpha_min: 0.1
  alpha_max: 2.0
  speaker_emb_dim: 128
)";
constexpr const char* kTrainingFile = R"(training:
  output_dir: "./checkpoints"
  overwrite_output_dir: true
  save_steps: 5000
  save_total_limit: 2
  num_train_epochs: 5
  per_device_train_batch_size: 6
  gradient_accumulation_steps: 6
  learning_rate: 9.0e-4
  lr_scheduler_type: "cosine"
  warmup_steps: 2000
  max_grad_norm: 3.0
  optim: "adamw_torch_fused"
  alpha_lr_ratio: 1.5  # 0.01
  bf16: true
  fp16: false
  logging_steps: 1
  report_to: ["wandb"]
  dataloader_num_workers: 0
  remove_unused_columns: false
  average_tokens_across_devices: false
  dataset_path: "/ephemeral/train_dataset"
wandb:
  project: "my-tts-project"
  name: "experiment-001"
  entity: null
metrics:
  enable_metrics: false
  log_steps: 100
  influence_steps: 500
  print_interpretation: false
)";
constexpr const char* kDatasetFile = R"(max_duration_sec: 40
lenght_statistics: false
hf_datasets:
  - reponame: "nineninesix/set"
    name: null
    split: "train"
    text_col_name: "text"
    nano_layer_1: "nano_layer_1"
    encoded_len: "encoded_len"
    speaker_emb: "grouped_sp_emb"
    language_tag: "en"
)";

// What a configuration is read with.
struct Heard {
  TrainConfig config;
  std::vector<std::string> warnings;
};
Heard heard(const std::vector<std::pair<std::string, std::string>>& yamls,
            const std::vector<std::string>& settings) {
  Heard out;
  set_log_sink(
      [&](LogLevel, std::string_view, std::string_view line) { out.warnings.emplace_back(line); });
  try {
    out.config = read_config(yamls, settings);
  } catch (...) {
    set_log_sink({});
    throw;
  }
  set_log_sink({});
  return out;
}

TEST(TrainConfig, upstreams_files_are_read_as_they_are) {
  const auto [config, warnings] =
      heard({{kModelFile, "model.yaml"}, {kTrainingFile, "training.yaml"}}, {});
  EXPECT_EQ(config.model_id, "LiquidAI/LFM2-350M");
  EXPECT_EQ(config.output_dir, "./checkpoints");
  EXPECT_EQ(config.save_total_limit, 2);
  EXPECT_EQ(config.num_train_epochs, 5);
  EXPECT_EQ(config.per_device_train_batch_size, 6);
  EXPECT_EQ(config.optimizer.learning_rate, 9e-4);
  EXPECT_EQ(config.optimizer.alpha_lr_ratio, 1.5);
  EXPECT_EQ(config.optimizer.schedule, "cosine");
  EXPECT_TRUE(config.bf16);
  EXPECT_FALSE(config.average_tokens_across_devices);
  EXPECT_TRUE(config.growth.first_train);
  EXPECT_EQ(config.growth.use_learnable_rope, true);
  EXPECT_EQ(config.growth.alpha_min, 0.1);
  EXPECT_EQ(config.growth.alpha_max, 2.0);
  EXPECT_EQ(config.growth.rows(), 80538);
  // What means nothing here is named once; what says what is done anyway needs no word.
  ASSERT_EQ(warnings.size(), 1u);
  for (const char* name : {"text_vocab_size", "num_audio_layers", "dtype", "report_to", "project",
                           "dataset_path", "influence_steps"})
    EXPECT_NE(warnings[0].find(name), std::string::npos) << name << ": " << warnings[0];
  for (const char* name : {"fp16", "optim", "learning_rate", "average_tokens"})
    EXPECT_EQ(warnings[0].find(name), std::string::npos) << name << ": " << warnings[0];
}

TEST(TrainConfig, what_upstream_would_do_and_we_do_not_is_refused) {
  for (const auto& [setting, part] : {std::pair{"fp16=true", "must be false"},
                                      {"optim=adafactor", "adamw_torch"},
                                      {"dtype=float16", "bfloat16 or float32"},
                                      {"remove_unused_columns=true", "must be false"}}) {
    const std::string why = refusal([&, &s = setting] { heard({}, {s}); });
    EXPECT_NE(why.find(part), std::string::npos) << setting << ": " << why;
  }
  EXPECT_NE(refusal([] {
              heard({{"training:\n  fp16: true\n", "x.yaml"}}, {});
            }).find("x.yaml: fp16 is \"true\" (line 2)"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              heard({{"num_audio_layers: 8\n", "x.yaml"}}, {"first_train=true"});
            }).find("num_audio_layers is 8"),
            std::string::npos);
  EXPECT_EQ(refusal([] {
              heard({{kModelFile, "m"}}, {"num_audio_layers=8", "tokens_per_frame=8"});
            }),
            "");
}

TEST(TrainConfig, files_of_others_are_told_by_whose_they_are) {
  std::string hint;
  try {
    heard({{kDatasetFile, "dataset_config.yaml"}}, {});
    FAIL() << "a description of data sets is taken for settings";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("kani-data"), std::string::npos) << error.what();
    hint = error.hint();
  }
  EXPECT_NE(hint.find("kani-data prepare --config dataset_config.yaml"), std::string::npos) << hint;
  const std::string why = refusal([] { heard({{"distributed_type: FSDP\n", "a.yaml"}}, {}); });
  EXPECT_NE(why.find("accelerate"), std::string::npos) << why;
}

TEST(TrainConfig, with_parity_keys_that_a_file_lacks_are_as_in_upstreams_code) {
  const std::string training = "training:\n  learning_rate: 1.0e-3\n",
                    model = "model:\n  model_id: b\n";
  const TrainConfig both = heard({{training, "t"}, {model, "m"}}, {"parity=true"}).config;
  EXPECT_EQ(both.per_device_train_batch_size, 8);
  EXPECT_EQ(both.gradient_accumulation_steps, 4);
  EXPECT_EQ(both.optimizer.alpha_lr_ratio, 0.01);
  EXPECT_TRUE(both.growth.first_train);
  EXPECT_EQ(both.growth.use_learnable_rope, false);
  EXPECT_EQ(both.num_train_epochs, 3);
  EXPECT_EQ(both.save_total_limit, 10);
  // What is given counts, wherever.
  const TrainConfig given =
      heard({{training + "  alpha_lr_ratio: 2\n", "t"}},
            {"parity=true", "per_device_train_batch_size=3", "gradient_accumulation_steps=1"})
          .config;
  EXPECT_EQ(given.optimizer.alpha_lr_ratio, 2);
  EXPECT_EQ(given.per_device_train_batch_size, 3);
  EXPECT_EQ(given.gradient_accumulation_steps, 1);
  // A base that is complete says itself what it is.
  EXPECT_FALSE(given.growth.first_train);
  EXPECT_EQ(given.growth.use_learnable_rope, std::nullopt);
  // Without a file or without parity our own defaults stay.
  for (const TrainConfig& ours :
       {heard({}, {"parity=true"}).config, heard({{training, "t"}}, {}).config}) {
    EXPECT_EQ(ours.per_device_train_batch_size, 6);
    EXPECT_EQ(ours.gradient_accumulation_steps, 6);
    EXPECT_EQ(ours.optimizer.alpha_lr_ratio, 1.5);
  }
}

TEST(TrainConfig, what_contradicts_parity_is_refused_where_it_is_given) {
  for (const char* setting : {"packing=rows", "dedup_frames=false", "language_temperature=0.5",
                              "init_audio_rows=mean+noise"}) {
    const std::string text = setting, key = text.substr(0, text.find('='));
    const std::string why = refusal([&] { heard({}, {"parity=true", text}); });
    EXPECT_NE(why.find(key + " contradicts parity"), std::string::npos) << setting << ": " << why;
    EXPECT_EQ(refusal([&] { heard({}, {text}); }), "") << setting;
  }
  const std::vector<std::string> same{"parity=true", "packing=none", "dedup_frames=true",
                                      "language_temperature=1", "init_audio_rows=mean"};
  TrainConfig config = heard({}, same).config;
  config.model_id = "m";
  config.data = {"d"};
  EXPECT_EQ(refusal([&] { config.validate(); }), "");
  config.language_weights = {"ky=3"};
  EXPECT_NE(refusal([&] { config.validate(); }).find("language_weights"), std::string::npos);
}

TEST(TrainConfig, what_a_run_with_parity_wrote_down_is_read_back) {
  TrainConfig config;
  config.model_id = "m";
  config.parity = true;
  take_upstream_rules(config);
  config.growth = growth_of(config, 0.5, 2);
  EXPECT_EQ(config.growth.alpha_init, 1.25);
  TrainConfig again;
  EXPECT_EQ(refusal([&] { again = heard({{resolved_yaml(config), "resolved"}}, {}).config; }), "");
  EXPECT_EQ(resolved_yaml(again), resolved_yaml(config));
  // An older program wrote our own defaults there.
  EXPECT_EQ(changed_keys("parity: true\nalpha_init: 1\naudio_step: null\n"
                         "per_device_train_batch_size: 6\nmodel_id: m\n",
                         "older", config),
            "");
}

// docs/training.md has a row for each key, as the table says it.
TEST(TrainConfig, every_key_stands_in_the_document) {
  const std::string keys = test::section_of("training.md", "## All keys");
  for (const auto& key : train_keys()) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    const std::string row =
        test::key_row(key.name, test::shown_value(key.write(TrainConfig())), key.meaning);
    EXPECT_NE(keys.find(row), std::string::npos) << "docs/training.md lacks the row\n" << row;
  }
}

TEST(TrainConfig, the_list_of_keys_reads_back) {
  TrainConfig config;
  config.model_id = "base";
  config.seed = 7;
  TrainConfig again;
  apply_yaml(keys_text(config), "keys", again);
  EXPECT_EQ(resolved_yaml(again), resolved_yaml(config));
  EXPECT_NE(keys_text(config).find("seed: 7  # "), std::string::npos);
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
  const std::string unlike = refusal([&] { apply_yaml("inner: 1\n", "f.yaml", config); });
  EXPECT_EQ(unlike.find("nearest"), std::string::npos) << unlike;
}

TEST(TrainConfig, what_is_wrong_with_a_flag_is_the_callers_fault) {
  const auto code_of = [](const char* yaml, const char* setting) {
    try {
      read_config({{yaml, "f.yaml"}}, {setting}).validate();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  for (const char* setting : {"learning_rate=fast", "ema_decay=2", "sede=1", "seed=[1",
                              "use_rslora=true", "packing=tight"})
    EXPECT_EQ(code_of("model_id: m\ndata: d\n", setting), ErrorCode::kInvalidArgument) << setting;
  EXPECT_EQ(code_of("learning_rate: fast\n", "seed=1"), ErrorCode::kBadInput);
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
}

// Numbers of transformers 4.56 (optimization.py) for 4 updates of warm-up, 20 in all.
TEST(TrainConfig, schedules_of_transformers) {
  OptimizerSettings s{
      .learning_rate = 1e-3, .warmup_steps = 4, .total_steps = 20, .warm_from_zero = true};
  const auto expect = [&](const char* name, std::vector<std::pair<int64_t, double>> points) {
    s.schedule = name;
    EXPECT_EQ(refusal([&] { validate(s); }), "");
    for (const auto& [n, factor] : points)
      EXPECT_NEAR(schedule_factor(s, n), factor, 1e-9) << name << " at " << n;
  };
  const double root = std::sqrt(0.5);
  expect("constant", {{0, 1}, {19, 1}});
  expect("constant_with_warmup", {{0, 0}, {3, 0.75}, {4, 1}, {19, 1}});
  expect("linear", {{0, 0}, {4, 1}, {8, 0.75}, {20, 0}, {25, 0}});
  expect("cosine", {{1, 0.25}, {4, 1}, {8, 0.5 * (1 + root)}, {12, 0.5}, {20, 0}});
  expect("cosine_with_restarts", {{1, 0.25}, {4, 1}, {8, 0.5 * (1 + root)}, {20, 0}, {25, 0}});
  expect("polynomial", {{2, 0.5}, {4, 1}, {12, 0.5 * (1 - 1e-4) + 1e-4}, {20, 1e-4}, {25, 1e-4}});
  expect("inverse_sqrt", {{2, 0.5}, {4, 1}, {16, 0.5}, {19, std::sqrt(4 / 19.0)}});
  s.min_lr_ratio = 0.1;
  expect("cosine_with_min_lr", {{2, 0.5}, {4, 1}, {12, 0.55}, {20, 0.1}});
  // It rises from the first update on and ends with the last one.
  expect("cosine_warmup_with_min_lr", {{0, 0.25}, {3, 1}, {11, 0.55}, {19, 0.1}});
  s.hold_share = 0.5;  // 8 updates stay, 8 fall
  expect("warmup_stable_decay",
         {{0, 0.1}, {2, 0.55}, {4, 1}, {11, 1}, {12, 1}, {16, 0.55}, {20, 0.1}, {25, 0.1}});
  s.warmup_steps = 0;
  expect("inverse_sqrt", {{0, 1}, {10'000, root}});
}

TEST(TrainConfig, schedules_that_lack_something_or_depend_on_losses_are_refused) {
  const auto why = [](const char* name) {
    OptimizerSettings s{.total_steps = 20};
    s.schedule = name;
    return refusal([&] { validate(s); });
  };
  EXPECT_NE(why("reduce_lr_on_plateau").find("validation losses"), std::string::npos);
  EXPECT_NE(why("cosine_with_min_lr").find("min_lr_ratio"), std::string::npos);
  EXPECT_NE(why("cosine_warmup_with_min_lr").find("min_lr_ratio"), std::string::npos);
  EXPECT_NE(why("warmup_stable_decay").find("hold_share"), std::string::npos);
  EXPECT_NE(why("cosinus").find("inverse_sqrt"), std::string::npos);  // one of those there are
}

}  // namespace
}  // namespace kani::train
