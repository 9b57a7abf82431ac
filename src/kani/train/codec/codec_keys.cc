// codec_keys.cc - see codec_keys.h.
#include "kani/train/codec/codec_keys.h"

#include <array>

namespace kani::train {
namespace {

using Key = ConfigKey<CodecTrainConfig>;
using Keys = std::vector<Key>;

// A key that changes the numbers that come out …
template <typename Member>
void numeric(Keys& keys, const char* name, Member member, const char* meaning) {
  keys.push_back(config_key<CodecTrainConfig>(name, /*numeric=*/true, member, meaning));
}
// … and one that does not.
template <typename Member>
void other(Keys& keys, const char* name, Member member, const char* meaning) {
  keys.push_back(config_key<CodecTrainConfig>(name, /*numeric=*/false, member, meaning));
}

#define KANI_FIELD(path) \
  [](CodecTrainConfig & c) -> auto& { return c.path; }

CodecStage stage_of(const YamlValue& value) {
  constexpr std::array kStages{CodecStage::kMel, CodecStage::kEncoder, CodecStage::kDecoder,
                               CodecStage::kJoint};
  for (const CodecStage stage : kStages) {
    if (value.text == stage_name(stage)) return stage;
  }
  refuse_value(value, "mel, encoder, decoder or joint");
}

void add_place_keys(Keys& k) {
  k.push_back({"stage", true,
               [](CodecTrainConfig& c, const YamlValue& v) { c.stage = stage_of(v); },
               [](const CodecTrainConfig& c) { return std::string(stage_name(c.stage)); },
               "mel, encoder, decoder or joint; --stage"});
  numeric(k, "init", KANI_FIELD(init),
          "what to start from: a codec, a checkpoint, or a folder of them; --init");
  numeric(k, "code_networks", KANI_FIELD(code_networks),
          "what makes the codes, a .safetensors of --export, where init is a finished codec");
  other(k, "output_dir", KANI_FIELD(output_dir), "folder of checkpoints and logs; --out");
  other(k, "data", KANI_FIELD(data), "sounds to train on: files, folders, lists; --data");
  other(k, "valid_data", KANI_FIELD(valid_data), "sounds to measure on, never trained on; --valid");
}

void add_codec_keys(Keys& k) {
  numeric(k, "sample_rate", KANI_FIELD(codec.sample_rate_hz), "samples a second of the codec");
  numeric(k, "codebooks", KANI_FIELD(codec.codebooks), "codes of a frame");
  numeric(k, "levels", KANI_FIELD(codec.levels),
          "of the digits of a code; their product is the size of a codebook");
  numeric(k, "decoder_width", KANI_FIELD(codec.decoder.base_channels),
          "the decoder's channels before its first stage; each stage halves them");
  numeric(k, "decoder_rates", KANI_FIELD(codec.decoder.rates),
          "factors by which the decoder's stages lengthen the signal; their product is the samples "
          "of a frame");
  numeric(k, "decoder_kernels", KANI_FIELD(codec.decoder.resblock_kernels),
          "kernel lengths of the decoder's residual blocks, a branch each");
  numeric(k, "decoder_dilations", KANI_FIELD(codec.decoder.resblock_dilations),
          "dilations of the decoder's residual blocks, a block each in every branch");
  numeric(k, "more_dilations", KANI_FIELD(more_dilations),
          "blocks that the decoder of init gets besides, by their dilations");
  numeric(k, "encoder_width", KANI_FIELD(codec.encoder.base_channels),
          "the encoder's channels before its first stage; each stage doubles them");
  numeric(k, "encoder_rates", KANI_FIELD(codec.encoder.rates),
          "factors by which the encoder's stages shorten the signal");
  numeric(k, "encoder_kernels", KANI_FIELD(codec.encoder.resblock_kernels),
          "kernel lengths of the encoder's residual blocks, a branch each");
  numeric(k, "encoder_dilations", KANI_FIELD(codec.encoder.resblock_dilations),
          "dilations of the encoder's residual blocks, a block each in every branch");
  numeric(k, "mel_bands", KANI_FIELD(analysis.bands),
          "bands of the log-mels that the analysis network hears");
  numeric(k, "analysis_width", KANI_FIELD(analysis.width),
          "the analysis network's channels at the rate of the mels; twice as many at that of the "
          "frames");
  numeric(k, "analysis_blocks", KANI_FIELD(analysis.blocks),
          "the analysis network's residual blocks at either rate");
}

void add_update_keys(Keys& k) {
  numeric(k, "max_steps", KANI_FIELD(optimizer.total_steps), "updates in all; --steps");
  numeric(k, "learning_rate", KANI_FIELD(optimizer.learning_rate),
          "AdamW's learning rate, at its height");
  numeric(k, "optimizer", KANI_FIELD(optimizer.rule),
          "muon: Muon for convolutions that mix channels, AdamW for all else; adamw: AdamW for "
          "everything");
  numeric(k, "muon_learning_rate", KANI_FIELD(optimizer.muon_learning_rate),
          "Muon's learning rate, under the same schedule");
  numeric(k, "muon_momentum", KANI_FIELD(optimizer.muon_momentum), "Muon's momentum");
  numeric(k, "adam_beta1", KANI_FIELD(optimizer.beta1), "AdamW: decay of the mean of gradients");
  numeric(k, "adam_beta2", KANI_FIELD(optimizer.beta2),
          "AdamW: decay of the mean of their squares");
  numeric(k, "adam_epsilon", KANI_FIELD(optimizer.epsilon), "AdamW: added to the root");
  numeric(k, "weight_decay", KANI_FIELD(optimizer.weight_decay),
          "decay of the weights, times the learning rate");
  numeric(k, "max_grad_norm", KANI_FIELD(optimizer.max_grad_norm),
          "longer gradients are cut to this norm; 0: none are");
  numeric(k, "warmup_steps", KANI_FIELD(optimizer.warmup_steps),
          "updates until the learning rate is at its height");
  numeric(k, "lr_scheduler_type", KANI_FIELD(optimizer.schedule),
          "how the learning rate goes, by the names of docs/training.md");
  numeric(k, "min_lr_ratio", KANI_FIELD(optimizer.min_lr_ratio),
          "where the rate ends, as a part of learning_rate");
  numeric(k, "hold_share", KANI_FIELD(optimizer.hold_share),
          "share of the updates behind the warm-up before the rate falls");
  numeric(k, "batch_size", KANI_FIELD(batch_size), "crops of an update");
  numeric(k, "crop_frames", KANI_FIELD(crop_frames), "frames of a crop");
  numeric(k, "context_frames", KANI_FIELD(context_frames),
          "leading frames of a crop that do not count, but where the recording begins with it");
  numeric(k, "start_share", KANI_FIELD(start_share),
          "share of the crops, more than chance has, that begin with their recording");
  numeric(k, "seed", KANI_FIELD(seed), "of the crops and of all that is random");
  numeric(k, "ema_decay", KANI_FIELD(ema_decay),
          "keep an average of the weights with this decay; 0: none");
}

void add_code_keys(Keys& k) {
  numeric(k, "change_weight", KANI_FIELD(change_weight),
          "weight of the mels' change in time, beside their level");
  numeric(k, "limit_weight", KANI_FIELD(limit_weight), "weight of latents beyond latent_limit");
  numeric(k, "latent_limit", KANI_FIELD(latent_limit), "how large a latent may be at no cost");
  numeric(k, "rate_weight", KANI_FIELD(rate_weight),
          "stages mel and joint: weight of the penalty that lowers the codes' entropy");
  numeric(k, "rate_from", KANI_FIELD(rate_from),
          "share of the updates after which the penalty of rate_weight begins");
  numeric(k, "rate_over", KANI_FIELD(rate_over),
          "share of the updates over which the penalty of rate_weight grows");
  numeric(k, "group_dropout", KANI_FIELD(group_dropout),
          "share of the crops that keep only their first codebooks");
  numeric(k, "group_dropout_from", KANI_FIELD(group_dropout_from),
          "share of the updates after which group_dropout begins");
  numeric(
      k, "encoder_mel_weight", KANI_FIELD(encoder_mel_weight),
      "stage encoder: weight of the mels that the first stage of the decoder makes of its codes");
  numeric(k, "encoder_mel_from", KANI_FIELD(encoder_mel_from),
          "share of the updates after which the mels count for the encoder");
  numeric(k, "encoder_mel_over", KANI_FIELD(encoder_mel_over),
          "share of the updates over which encoder_mel_weight is reached");
  numeric(k, "analysis_learns", KANI_FIELD(analysis_learns),
          "stage mel: false keeps the analysis network, so that the codes stay");
  numeric(k, "front_learns", KANI_FIELD(front_learns),
          "stage encoder: false keeps the decoder's first stage, as behind a finished decoder");
}

void add_sound_keys(Keys& k) {
  numeric(k, "codes", KANI_FIELD(codes),
          "stage decoder: who makes the codes: encoder, analysis, or mixed: either, by recording");
  numeric(k, "mel_weight", KANI_FIELD(mel_weight), "sound: weight of the distance of log-mels");
  numeric(
      k, "mel_guards", KANI_FIELD(mel_guards),
      "sound: levels of mels below which their distance counts for little; with several the mean "
      "over them");
  numeric(k, "spread_weight", KANI_FIELD(spread_weight),
          "sound: weight of the distance of the log-mels' variances in time, against sound that is "
          "too smooth");
  numeric(k, "magnitude_weight", KANI_FIELD(magnitude_weight),
          "sound: weight of the distance of spectra");
  numeric(k, "clip_weight", KANI_FIELD(clip_weight),
          "sound: weight of what lies beyond full scale");
  numeric(k, "aux_weight", KANI_FIELD(aux_weight),
          "sound: weight of the mels of the decoder's first stage");
  numeric(k, "adversarial_from", KANI_FIELD(adversarial_from),
          "update from which discriminators take part; -1: never");
  k.back().read = [](CodecTrainConfig& c, const YamlValue& v) {
    const auto value = v.integer();
    if (!value || *value < -1) refuse_value(v, "an update, or -1 for never");
    c.adversarial_from = *value;
  };
  numeric(k, "adversarial_weight", KANI_FIELD(adversarial_weight),
          "weight of what the discriminators judge");
  numeric(k, "feature_weight", KANI_FIELD(feature_weight),
          "weight of the distance of the discriminators' features");
  numeric(k, "critic_learning_rate", KANI_FIELD(critic_learning_rate),
          "learning rate of the discriminators, by AdamW");
  numeric(k, "critic_periods", KANI_FIELD(critics.periods),
          "periods that discriminators fold the sound by, one each");
  numeric(k, "critic_period_width", KANI_FIELD(critics.period_width),
          "channels of the first layer of a discriminator of critic_periods");
  numeric(k, "critic_ffts", KANI_FIELD(critics.ffts),
          "lengths of the spectra that the other discriminators look at, one each");
  numeric(k, "critic_band_width", KANI_FIELD(critics.band_width),
          "channels of a discriminator of critic_ffts");
}

void add_report_keys(Keys& k) {
  other(k, "save_steps", KANI_FIELD(save_steps), "updates between checkpoints");
  other(k, "save_total_limit", KANI_FIELD(save_total_limit), "checkpoints that are kept; 0: all");
  other(k, "keep_every", KANI_FIELD(keep_every),
        "checkpoints at multiples of so many updates are kept besides; 0: none");
  other(k, "logging_steps", KANI_FIELD(logging_steps),
        "updates between lines of progress, where it is no terminal");
  other(k, "eval_every", KANI_FIELD(eval_every), "updates between measurements");
  other(k, "eval_crops", KANI_FIELD(eval_crops), "crops that are measured");
  other(k, "device", KANI_FIELD(device), "auto, cpu, cuda, cuda:N");
  other(k, "threads", KANI_FIELD(threads),
        "CPU threads; 0: one, with a GPU as many as LibTorch takes");
}

}  // namespace

const std::vector<ConfigKey<CodecTrainConfig>>& codec_keys() {
  static const Keys list = [] {
    Keys k;
    add_place_keys(k);
    add_codec_keys(k);
    add_update_keys(k);
    add_code_keys(k);
    add_sound_keys(k);
    add_report_keys(k);
    return k;
  }();
  return list;
}

}  // namespace kani::train
