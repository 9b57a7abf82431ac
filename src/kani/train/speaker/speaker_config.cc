// speaker_config.cc - see speaker_config.h; the table of keys is in speaker_keys.cc.
#include "kani/train/speaker/speaker_config.h"

#include "kani/base/error.h"
#include "kani/train/speaker/speaker_keys.h"

namespace kani::train {
SpeakerConfig small_speaker_encoder() {
  SpeakerConfig c;
  c.hidden_size = 64;
  c.layers = 3;
  c.heads = 4;
  c.intermediate_size = 192;
  c.conv_dims.assign(7, 32);
  c.position_kernel = 32;
  c.position_groups = 8;
  c.buckets = 64;
  c.max_bucket_distance = 200;
  c.head_width = 128;
  return c;
}

void apply_speaker_yaml(std::string_view yaml, std::string_view source,
                        SpeakerTrainConfig& config) {
  each_key(yaml, source, [&](const std::string& name, const YamlValue& value) {
    apply_key(speaker_keys(), name, value, source, config);
  });
}

void apply_speaker_setting(const std::string& name, const std::string& value,
                           SpeakerTrainConfig& config) {
  apply_key(speaker_keys(), name, setting_value(value), "--set", config);
}

std::string speaker_yaml(const SpeakerTrainConfig& config, bool only_numeric) {
  return keys_yaml(speaker_keys(), config, only_numeric);
}

std::string keys_text(const SpeakerTrainConfig& config) {
  return keys_list(speaker_keys(), config);
}

void validate(const SpeakerTrainConfig& c) {
  validate(c.model, "configuration");
  validate(c.optimizer);
  const auto within = [](double value, const char* name, double least, double most) {
    require(value >= least && value <= most, name, " is ", value, ", must be ", least, " to ",
            most);
  };
  // Batch norm needs two, and more than this no machine holds.
  within(static_cast<double>(c.batch_size), "batch_size", 2, 4096);
  within(c.min_seconds, "min_seconds", 0.2, 30);
  within(c.max_seconds, "max_seconds", c.min_seconds, 30);
  within(c.margin, "margin", 0, 1);
  within(c.scale, "scale", 1, 100);
  within(c.margin_warmup, "margin_warmup", 0, 1);
  within(c.noise_share, "noise_share", 0, 1);
  within(c.noise_least_db, "noise_least_db", -10, 100);
  within(c.noise_most_db, "noise_most_db", c.noise_least_db, 100);
  within(c.gain_db, "gain_db", 0, 40);
  within(c.held_out_share, "held_out_share", 0, 0.9);
  within(static_cast<double>(c.save_steps), "save_steps", 1, 1e9);
  within(static_cast<double>(c.save_total_limit), "save_total_limit", 2, 1e6);
  within(static_cast<double>(c.eval_every), "eval_every", 1, 1e9);
  within(static_cast<double>(c.eval_clips), "eval_clips", 2, 1000);
  within(c.eval_seconds, "eval_seconds", 0.2, 30);
  within(static_cast<double>(c.threads), "threads", 1, 1024);
}

}  // namespace kani::train
