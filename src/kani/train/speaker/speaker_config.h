// speaker_config.h - all that decides a training run of the speaker encoder: sizes of the encoder
// under upstream's names, what it hears, the update, when to save.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kani/spec/speaker.h"
#include "kani/train/optimizer_settings.h"

namespace kani::train {

/// An encoder that two CPU cores can train: 7 convolutions of 32, 3 layers of 64, 0.19 M numbers.
SpeakerConfig small_speaker_encoder();

struct SpeakerTrainConfig {
  SpeakerConfig model = small_speaker_encoder();
  OptimizerSettings optimizer{.learning_rate = 2e-3,
                              .weight_decay = 1e-3,
                              .max_grad_norm = 1,
                              .warmup_steps = 50,
                              .total_steps = 2000,
                              .min_lr_ratio = 0.03};

  std::vector<std::string> data, valid_data;
  std::string output_dir = "./speaker-checkpoints";
  std::string init;              // folder of an encoder to start from, which then gives the sizes
  double held_out_share = 0.15;  // of the speakers, where there is no valid_data

  int64_t batch_size = 32;                         // crops of an update
  double min_seconds = 1.5, max_seconds = 3;       // of a crop; all crops of an update are as long
  double margin = 0.2, scale = 20;                 // of the softmax
  double margin_warmup = 0.3;                      // share of the run in which the margin grows
  double noise_share = 0.5;                        // of the crops
  double noise_least_db = 15, noise_most_db = 45;  // signal to noise
  double gain_db = 6;  // of each recording within a crop, up or down; alone it would cancel

  uint64_t seed = 1;
  int64_t save_steps = 200, save_total_limit = 3;
  int64_t eval_every = 200, eval_clips = 8;
  double eval_seconds = 3;
  int64_t cache_mb = 1024;  // of decoded sound that is kept
  int64_t threads = 1;
};

/// Keys of a YAML file over those of `config`.  Throws Error(kBadInput) with line and key.
void apply_speaker_yaml(std::string_view yaml, std::string_view source, SpeakerTrainConfig& config);
/// One key.
void apply_speaker_setting(const std::string& key, const std::string& value,
                           SpeakerTrainConfig& config);
/// All keys as YAML that reads back, or those alone that change the numbers of a run.
std::string speaker_yaml(const SpeakerTrainConfig& config, bool only_numeric = false);
/// All keys with their values and what they mean, as YAML that reads back.
std::string keys_text(const SpeakerTrainConfig& config);
/// Throws Error(kInvalidArgument) naming key, value and rule.
void validate(const SpeakerTrainConfig& config);

}  // namespace kani::train
