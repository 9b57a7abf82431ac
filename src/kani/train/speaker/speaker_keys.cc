// speaker_keys.cc - see speaker_keys.h.
#include "kani/train/speaker/speaker_keys.h"

namespace kani::train {
namespace {

using Config = SpeakerTrainConfig;
using Key = ConfigKey<Config>;

// A key that fills a member of the configuration …
template <typename T>
Key key(const char* name, bool numeric, T Config::*member, const char* meaning) {
  return config_key<Config>(name, numeric, member, meaning);
}
// … or of a part of it.
template <typename Part, typename T>
Key key(const char* name, bool numeric, Part Config::*part, T Part::*member, const char* meaning) {
  return config_key<Config>(
      name, numeric, [ part, member ](Config & c) -> auto& { return (c.*part).*member; }, meaning);
}

}  // namespace

const std::vector<ConfigKey<SpeakerTrainConfig>>& speaker_keys() {
  static const std::vector<Key> all{
      key("hidden_size", true, &Config::model, &SpeakerConfig::hidden_size,
          "width of the transformer"),
      key("num_hidden_layers", true, &Config::model, &SpeakerConfig::layers,
          "layers of the transformer"),
      key("num_attention_heads", true, &Config::model, &SpeakerConfig::heads,
          "attention heads of a layer"),
      key("intermediate_size", true, &Config::model, &SpeakerConfig::intermediate_size,
          "width of the feed-forward part of a layer"),
      key("layer_norm_eps", true, &Config::model, &SpeakerConfig::layer_norm_eps,
          "added to the variance in the transformer's norms"),
      key("conv_dim", true, &Config::model, &SpeakerConfig::conv_dims,
          "channels of the waveform's convolutions"),
      key("conv_kernel", true, &Config::model, &SpeakerConfig::conv_kernels,
          "kernel lengths of the waveform's convolutions"),
      key("conv_stride", true, &Config::model, &SpeakerConfig::conv_strides,
          "strides of the waveform's convolutions"),
      key("num_conv_pos_embeddings", true, &Config::model, &SpeakerConfig::position_kernel,
          "kernel length of the convolution that tells positions"),
      key("num_conv_pos_embedding_groups", true, &Config::model, &SpeakerConfig::position_groups,
          "groups of the convolution that tells positions"),
      key("num_buckets", true, &Config::model, &SpeakerConfig::buckets,
          "buckets of relative positions"),
      key("max_bucket_distance", true, &Config::model, &SpeakerConfig::max_bucket_distance,
          "distance from which all positions share a bucket"),
      key("embd_size", true, &Config::model, &SpeakerConfig::embedding_size, "numbers of a voice"),
      key("top_interm_size", true, &Config::model, &SpeakerConfig::head_width,
          "width of the first of the two affine layers"),
      key("learning_rate", true, &Config::optimizer, &OptimizerSettings::learning_rate,
          "the learning rate at its height"),
      key("min_lr_ratio", true, &Config::optimizer, &OptimizerSettings::min_lr_ratio,
          "where the rate ends, as a part of learning_rate"),
      key("lr_scheduler_type", true, &Config::optimizer, &OptimizerSettings::schedule,
          "how the learning rate goes, by the names of docs/training.md"),
      key("warmup_steps", true, &Config::optimizer, &OptimizerSettings::warmup_steps,
          "updates until the learning rate is at its height"),
      key("weight_decay", true, &Config::optimizer, &OptimizerSettings::weight_decay,
          "decay of the weights, times the learning rate"),
      key("max_grad_norm", true, &Config::optimizer, &OptimizerSettings::max_grad_norm,
          "longer gradients are cut to this norm; 0: none are"),
      key("adam_beta1", true, &Config::optimizer, &OptimizerSettings::beta1,
          "AdamW: decay of the mean of gradients"),
      key("adam_beta2", true, &Config::optimizer, &OptimizerSettings::beta2,
          "AdamW: decay of the mean of their squares"),
      key("adam_epsilon", true, &Config::optimizer, &OptimizerSettings::epsilon,
          "AdamW: added to the root"),
      key("max_steps", true, &Config::optimizer, &OptimizerSettings::total_steps,
          "updates in all; --steps"),
      key("batch_size", true, &Config::batch_size, "crops of an update"),
      key("min_seconds", true, &Config::min_seconds, "least length of a crop"),
      key("max_seconds", true, &Config::max_seconds, "greatest length of a crop"),
      key("margin", true, &Config::margin,
          "what the cosine of the own speaker loses in the loss, at its full size"),
      key("scale", true, &Config::scale, "factor on the cosines in the loss"),
      key("margin_warmup", true, &Config::margin_warmup,
          "share of the updates in which the margin grows"),
      key("noise_share", true, &Config::noise_share, "share of the crops that get white noise"),
      key("noise_least_db", true, &Config::noise_least_db,
          "least distance of the white noise below the sound, in dB"),
      key("noise_most_db", true, &Config::noise_most_db,
          "greatest distance of the white noise below the sound, in dB"),
      key("gain_db", true, &Config::gain_db,
          "each recording within a crop is up to so much louder or softer, in dB"),
      key("seed", true, &Config::seed,
          "of the first weights, of the crops and of all that is random"),
      key("held_out_share", true, &Config::held_out_share,
          "without valid_data: share of the speakers that are measured on, never trained on"),
      key("init", false, &Config::init,
          "folder of an encoder to start from, which then gives the sizes; --init"),
      key("data", false, &Config::data, "recordings to train on; --data"),
      key("valid_data", false, &Config::valid_data,
          "recordings of speakers to measure on, never trained on; --valid"),
      key("output_dir", false, &Config::output_dir, "folder of checkpoints and logs; --out"),
      key("save_steps", false, &Config::save_steps, "updates between checkpoints"),
      key("save_total_limit", false, &Config::save_total_limit,
          "checkpoints that are kept, 2 or more"),
      key("eval_every", false, &Config::eval_every, "updates between measurements"),
      key("eval_clips", false, &Config::eval_clips,
          "clips of a speaker that are measured, at most"),
      key("eval_seconds", false, &Config::eval_seconds,
          "seconds of a clip that is measured, at least"),
      key("cache_mb", false, &Config::cache_mb,
          "megabytes of decoded recordings that are kept in memory"),
      key("threads", false, &Config::threads, "CPU threads"),
  };
  return all;
}

}  // namespace kani::train
