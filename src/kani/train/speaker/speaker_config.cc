// speaker_config.cc - see speaker_config.h.
#include "kani/train/speaker/speaker_config.h"

#include "kani/base/error.h"
#include "kani/train/keys.h"

namespace kani::train {
namespace {

using Config = SpeakerTrainConfig;
using Key = ConfigKey<Config>;

// A key that fills a member of the configuration …
template <typename T>
Key key(const char* name, bool numeric, T Config::*member) {
  return config_key<Config>(name, numeric, member);
}
// … or of a part of it.
template <typename Part, typename T>
Key key(const char* name, bool numeric, Part Config::*part, T Part::*member) {
  return config_key<Config>(
      name, numeric, [ part, member ](Config & c) -> auto& { return (c.*part).*member; });
}

const std::vector<Key>& keys() {
  static const std::vector<Key> all{
      key("hidden_size", true, &Config::model, &SpeakerConfig::hidden_size),
      key("num_hidden_layers", true, &Config::model, &SpeakerConfig::layers),
      key("num_attention_heads", true, &Config::model, &SpeakerConfig::heads),
      key("intermediate_size", true, &Config::model, &SpeakerConfig::intermediate_size),
      key("layer_norm_eps", true, &Config::model, &SpeakerConfig::layer_norm_eps),
      key("conv_dim", true, &Config::model, &SpeakerConfig::conv_dims),
      key("conv_kernel", true, &Config::model, &SpeakerConfig::conv_kernels),
      key("conv_stride", true, &Config::model, &SpeakerConfig::conv_strides),
      key("num_conv_pos_embeddings", true, &Config::model, &SpeakerConfig::position_kernel),
      key("num_conv_pos_embedding_groups", true, &Config::model, &SpeakerConfig::position_groups),
      key("num_buckets", true, &Config::model, &SpeakerConfig::buckets),
      key("max_bucket_distance", true, &Config::model, &SpeakerConfig::max_bucket_distance),
      key("embd_size", true, &Config::model, &SpeakerConfig::embedding_size),
      key("top_interm_size", true, &Config::model, &SpeakerConfig::head_width),
      key("learning_rate", true, &Config::optimizer, &OptimizerSettings::learning_rate),
      key("min_lr_ratio", true, &Config::optimizer, &OptimizerSettings::min_lr_ratio),
      key("lr_scheduler_type", true, &Config::optimizer, &OptimizerSettings::schedule),
      key("warmup_steps", true, &Config::optimizer, &OptimizerSettings::warmup_steps),
      key("weight_decay", true, &Config::optimizer, &OptimizerSettings::weight_decay),
      key("max_grad_norm", true, &Config::optimizer, &OptimizerSettings::max_grad_norm),
      key("adam_beta1", true, &Config::optimizer, &OptimizerSettings::beta1),
      key("adam_beta2", true, &Config::optimizer, &OptimizerSettings::beta2),
      key("adam_epsilon", true, &Config::optimizer, &OptimizerSettings::epsilon),
      key("max_steps", true, &Config::optimizer, &OptimizerSettings::total_steps),
      key("batch_size", true, &Config::batch_size),
      key("min_seconds", true, &Config::min_seconds),
      key("max_seconds", true, &Config::max_seconds),
      key("margin", true, &Config::margin),
      key("scale", true, &Config::scale),
      key("margin_warmup", true, &Config::margin_warmup),
      key("noise_share", true, &Config::noise_share),
      key("noise_least_db", true, &Config::noise_least_db),
      key("noise_most_db", true, &Config::noise_most_db),
      key("gain_db", true, &Config::gain_db),
      key("seed", true, &Config::seed),
      key("held_out_share", true, &Config::held_out_share),
      key("init", false, &Config::init),
      key("data", false, &Config::data),
      key("valid_data", false, &Config::valid_data),
      key("output_dir", false, &Config::output_dir),
      key("save_steps", false, &Config::save_steps),
      key("save_total_limit", false, &Config::save_total_limit),
      key("eval_every", false, &Config::eval_every),
      key("eval_clips", false, &Config::eval_clips),
      key("eval_seconds", false, &Config::eval_seconds),
      key("cache_mb", false, &Config::cache_mb),
      key("threads", false, &Config::threads),
  };
  return all;
}

}  // namespace

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
    apply_key(keys(), name, value, source, config);
  });
}

void apply_speaker_setting(const std::string& name, const std::string& value,
                           SpeakerTrainConfig& config) {
  apply_key(keys(), name, setting_value(value), "--set", config);
}

std::string speaker_yaml(const SpeakerTrainConfig& config, bool only_numeric) {
  return keys_yaml(keys(), config, only_numeric);
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
