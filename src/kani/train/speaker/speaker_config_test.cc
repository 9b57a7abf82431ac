// Keys in files and flags, and what they may hold.
#include "kani/train/speaker/speaker_config.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/train/speaker/speaker_keys.h"
#include "kani/train/test_key_rows.h"

namespace kani::train {
namespace {

TEST(SpeakerTrainConfig, reads_back_what_it_writes) {
  SpeakerTrainConfig c;
  apply_speaker_yaml(
      "conv_dim: [16, 16]\nconv_kernel: [10, 4]\nconv_stride: [5, 4]\n"
      "learning_rate: 0.004\ndata: [a, 'b''c']\nseed: 9\n",
      "test", c);
  EXPECT_EQ(c.model.conv_dims, (std::vector<int>{16, 16}));
  EXPECT_EQ(c.optimizer.learning_rate, 0.004);
  EXPECT_EQ(c.data, (std::vector<std::string>{"a", "b'c"}));
  SpeakerTrainConfig again;
  apply_speaker_yaml(speaker_yaml(c), "written", again);
  EXPECT_EQ(speaker_yaml(again), speaker_yaml(c));
  EXPECT_NE(speaker_yaml(again), speaker_yaml(SpeakerTrainConfig{}));
}

TEST(SpeakerTrainConfig, the_list_of_keys_reads_back) {
  SpeakerTrainConfig config, again;
  config.seed = 9;
  const std::string text = keys_text(config);
  EXPECT_NE(text.find("seed: 9  # "), std::string::npos);
  apply_speaker_yaml(text, "keys", again);
  EXPECT_EQ(speaker_yaml(again), speaker_yaml(config));
}

TEST(SpeakerTrainConfig, every_key_stands_in_the_document) {
  const std::string keys = test::section_of("training-speakers.md", "## All keys");
  for (const auto& key : speaker_keys()) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    const std::string row =
        test::key_row(key.name, test::shown_value(key.write(SpeakerTrainConfig())), key.meaning);
    EXPECT_NE(keys.find(row), std::string::npos) << "docs/training-speakers.md lacks the row\n"
                                                 << row;
  }
}

TEST(SpeakerTrainConfig, places_do_not_count_among_what_changes_numbers) {
  SpeakerTrainConfig a, b;
  apply_speaker_setting("output_dir", "elsewhere", b);
  apply_speaker_setting("threads", "2", b);
  EXPECT_EQ(speaker_yaml(a, true), speaker_yaml(b, true));
  apply_speaker_setting("margin", "0.3", b);
  EXPECT_NE(speaker_yaml(a, true), speaker_yaml(b, true));
}

TEST(SpeakerTrainConfig, refuses_what_it_does_not_know_or_cannot_be) {
  SpeakerTrainConfig c;
  EXPECT_THROW(apply_speaker_setting("margins", "0.1", c), Error);
  EXPECT_THROW(apply_speaker_setting("margin", "much", c), Error);
  EXPECT_THROW(apply_speaker_setting("hidden_size", "-3", c), Error);
  EXPECT_THROW(apply_speaker_yaml("- a\n", "test", c), Error);
  for (const auto& [key, value] : {std::pair{"batch_size", "1"},
                                   {"margin", "2"},
                                   {"max_seconds", "1"},
                                   {"hidden_size", "63"},
                                   {"eval_clips", "1"},
                                   {"save_total_limit", "1"}}) {
    SpeakerTrainConfig wrong;
    apply_speaker_setting(key, value, wrong);
    EXPECT_THROW(validate(wrong), Error) << key;
  }
  EXPECT_NO_THROW(validate(SpeakerTrainConfig{}));
}

}  // namespace
}  // namespace kani::train
