// codec_config.cc - see codec_config.h: the table of keys.
#include "kani/train/codec/codec_config.h"

#include <array>
#include <cmath>

#include "kani/train/keys.h"

namespace kani::train {
namespace {

using Key = ConfigKey<CodecTrainConfig>;

template <typename Member>
Key key(const char* name, bool numeric, Member member) {
  return config_key<CodecTrainConfig>(name, numeric, member);
}

#define KANI_FIELD(path) \
  [](CodecTrainConfig & c) -> auto& { return c.path; }

constexpr std::array kStages{CodecStage::kMel, CodecStage::kEncoder, CodecStage::kDecoder,
                             CodecStage::kJoint};

CodecStage stage_of(const YamlValue& value) {
  for (const CodecStage stage : kStages) {
    if (value.text == stage_name(stage)) return stage;
  }
  refuse_value(value, "mel, encoder, decoder or joint");
}

void add_codec_keys(std::vector<Key>& k) {
  k.push_back(key("sample_rate", true, KANI_FIELD(codec.sample_rate_hz)));
  k.push_back(key("codebooks", true, KANI_FIELD(codec.codebooks)));
  k.push_back(key("levels", true, KANI_FIELD(codec.levels)));
  k.push_back(key("decoder_width", true, KANI_FIELD(codec.decoder.base_channels)));
  k.push_back(key("decoder_rates", true, KANI_FIELD(codec.decoder.rates)));
  k.push_back(key("decoder_kernels", true, KANI_FIELD(codec.decoder.resblock_kernels)));
  k.push_back(key("decoder_dilations", true, KANI_FIELD(codec.decoder.resblock_dilations)));
  k.push_back(key("more_dilations", true, KANI_FIELD(more_dilations)));
  k.push_back(key("encoder_width", true, KANI_FIELD(codec.encoder.base_channels)));
  k.push_back(key("encoder_rates", true, KANI_FIELD(codec.encoder.rates)));
  k.push_back(key("encoder_kernels", true, KANI_FIELD(codec.encoder.resblock_kernels)));
  k.push_back(key("encoder_dilations", true, KANI_FIELD(codec.encoder.resblock_dilations)));
  k.push_back(key("mel_bands", true, KANI_FIELD(analysis.bands)));
  k.push_back(key("analysis_width", true, KANI_FIELD(analysis.width)));
  k.push_back(key("analysis_blocks", true, KANI_FIELD(analysis.blocks)));
}

void add_update_keys(std::vector<Key>& k) {
  k.push_back(key("max_steps", true, KANI_FIELD(optimizer.total_steps)));
  k.push_back(key("learning_rate", true, KANI_FIELD(optimizer.learning_rate)));
  k.push_back(key("optimizer", true, KANI_FIELD(optimizer.rule)));
  k.push_back(key("muon_learning_rate", true, KANI_FIELD(optimizer.muon_learning_rate)));
  k.push_back(key("muon_momentum", true, KANI_FIELD(optimizer.muon_momentum)));
  k.push_back(key("adam_beta1", true, KANI_FIELD(optimizer.beta1)));
  k.push_back(key("adam_beta2", true, KANI_FIELD(optimizer.beta2)));
  k.push_back(key("adam_epsilon", true, KANI_FIELD(optimizer.epsilon)));
  k.push_back(key("weight_decay", true, KANI_FIELD(optimizer.weight_decay)));
  k.push_back(key("max_grad_norm", true, KANI_FIELD(optimizer.max_grad_norm)));
  k.push_back(key("warmup_steps", true, KANI_FIELD(optimizer.warmup_steps)));
  k.push_back(key("lr_scheduler_type", true, KANI_FIELD(optimizer.schedule)));
  k.push_back(key("min_lr_ratio", true, KANI_FIELD(optimizer.min_lr_ratio)));
  k.push_back(key("hold_share", true, KANI_FIELD(optimizer.hold_share)));
  k.push_back(key("batch_size", true, KANI_FIELD(batch_size)));
  k.push_back(key("crop_frames", true, KANI_FIELD(crop_frames)));
  k.push_back(key("context_frames", true, KANI_FIELD(context_frames)));
  k.push_back(key("start_share", true, KANI_FIELD(start_share)));
  k.push_back(key("seed", true, KANI_FIELD(seed)));
  k.push_back(key("ema_decay", true, KANI_FIELD(ema_decay)));
}

void add_loss_keys(std::vector<Key>& k) {
  k.push_back(key("change_weight", true, KANI_FIELD(change_weight)));
  k.push_back(key("limit_weight", true, KANI_FIELD(limit_weight)));
  k.push_back(key("latent_limit", true, KANI_FIELD(latent_limit)));
  k.push_back(key("rate_weight", true, KANI_FIELD(rate_weight)));
  k.push_back(key("rate_from", true, KANI_FIELD(rate_from)));
  k.push_back(key("rate_over", true, KANI_FIELD(rate_over)));
  k.push_back(key("group_dropout", true, KANI_FIELD(group_dropout)));
  k.push_back(key("group_dropout_from", true, KANI_FIELD(group_dropout_from)));
  k.push_back(key("encoder_mel_weight", true, KANI_FIELD(encoder_mel_weight)));
  k.push_back(key("encoder_mel_from", true, KANI_FIELD(encoder_mel_from)));
  k.push_back(key("encoder_mel_over", true, KANI_FIELD(encoder_mel_over)));
  k.push_back(key("analysis_learns", true, KANI_FIELD(analysis_learns)));
  k.push_back(key("front_learns", true, KANI_FIELD(front_learns)));
  k.push_back(key("codes", true, KANI_FIELD(codes)));
  k.push_back(key("mel_weight", true, KANI_FIELD(mel_weight)));
  k.push_back(key("magnitude_weight", true, KANI_FIELD(magnitude_weight)));
  k.push_back(key("clip_weight", true, KANI_FIELD(clip_weight)));
  k.push_back(key("aux_weight", true, KANI_FIELD(aux_weight)));
  Key from = key("adversarial_from", true, KANI_FIELD(adversarial_from));
  from.read = [](CodecTrainConfig& c, const YamlValue& v) {
    const auto value = v.integer();
    if (!value || *value < -1) refuse_value(v, "an update, or -1 for never");
    c.adversarial_from = *value;
  };
  k.push_back(from);
  k.push_back(key("adversarial_weight", true, KANI_FIELD(adversarial_weight)));
  k.push_back(key("feature_weight", true, KANI_FIELD(feature_weight)));
  k.push_back(key("critic_learning_rate", true, KANI_FIELD(critic_learning_rate)));
  k.push_back(key("critic_periods", true, KANI_FIELD(critics.periods)));
  k.push_back(key("critic_period_width", true, KANI_FIELD(critics.period_width)));
  k.push_back(key("critic_ffts", true, KANI_FIELD(critics.ffts)));
  k.push_back(key("critic_band_width", true, KANI_FIELD(critics.band_width)));
}

const std::vector<Key>& keys() {
  static const std::vector<Key> list = [] {
    std::vector<Key> k;
    k.push_back({"stage", true,
                 [](CodecTrainConfig& c, const YamlValue& v) { c.stage = stage_of(v); },
                 [](const CodecTrainConfig& c) { return std::string(stage_name(c.stage)); }});
    k.push_back(key("init", true, KANI_FIELD(init)));
    k.push_back(key("output_dir", false, KANI_FIELD(output_dir)));
    k.push_back(key("data", false, KANI_FIELD(data)));
    k.push_back(key("valid_data", false, KANI_FIELD(valid_data)));
    add_codec_keys(k);
    add_update_keys(k);
    add_loss_keys(k);
    k.push_back(key("save_steps", false, KANI_FIELD(save_steps)));
    k.push_back(key("save_total_limit", false, KANI_FIELD(save_total_limit)));
    k.push_back(key("keep_every", false, KANI_FIELD(keep_every)));
    k.push_back(key("logging_steps", false, KANI_FIELD(logging_steps)));
    k.push_back(key("eval_every", false, KANI_FIELD(eval_every)));
    k.push_back(key("eval_crops", false, KANI_FIELD(eval_crops)));
    k.push_back(key("device", false, KANI_FIELD(device)));
    k.push_back(key("threads", false, KANI_FIELD(threads)));
    return k;
  }();
  return list;
}

NanoCodecConfig small_codec() {
  NanoCodecConfig out;
  out.sample_rate_hz = 22050;
  out.codebooks = 4;
  out.levels = {9, 8, 8, 7};
  out.decoder = {.present = true,
                 .rates = {7, 3, 2, 6, 7},
                 .base_channels = 512,
                 .in_kernel = 7,
                 .out_kernel = 3,
                 .resblock_kernels = {7},
                 .resblock_dilations = {1, 3}};
  out.encoder = {.present = true,
                 .rates = {7, 6, 2, 3, 7},
                 .base_channels = 8,
                 .in_kernel = 7,
                 .out_kernel = 7,
                 .resblock_kernels = {7},
                 .resblock_dilations = {1, 3}};
  return out;
}

void resolve(CodecTrainConfig& config) {
  int64_t product = 1;
  for (const int rate : config.codec.decoder.rates)
    product = std::min<int64_t>(product * std::max(1, rate), 1 << 24);
  config.codec.samples_per_frame = static_cast<int>(product);
}

}  // namespace

std::string_view stage_name(CodecStage stage) {
  switch (stage) {
    case CodecStage::kMel:
      return "mel";
    case CodecStage::kEncoder:
      return "encoder";
    case CodecStage::kDecoder:
      return "decoder";
    case CodecStage::kJoint:
      break;
  }
  return "joint";
}

CodecTrainConfig codec_defaults(CodecStage stage) {
  CodecTrainConfig c;
  c.stage = stage;
  c.codec = small_codec();
  c.optimizer.is_matrix = is_codec_matrix;
  c.optimizer.rule = stage == CodecStage::kJoint ? "adamw" : "muon";
  c.optimizer.learning_rate = 2e-3;
  c.optimizer.beta1 = 0.9;
  c.optimizer.beta2 = 0.98;
  c.optimizer.min_lr_ratio = 0.03;
  c.optimizer.warmup_steps = 100;
  switch (stage) {
    case CodecStage::kMel:
      c.optimizer.total_steps = 6000;
      c.optimizer.max_grad_norm = 1;
      c.optimizer.weight_decay = 1e-4;
      c.optimizer.hold_share = 0.3;
      c.optimizer.muon_learning_rate = 0.03;
      break;
    case CodecStage::kEncoder:
      c.optimizer.total_steps = 6000;
      c.optimizer.max_grad_norm = 1;
      c.batch_size = 4;
      c.crop_frames = 12;
      break;
    case CodecStage::kDecoder:
      c.optimizer.total_steps = 6000;
      c.optimizer.beta1 = 0.8;
      c.optimizer.max_grad_norm = 5;
      c.optimizer.weight_decay = 1e-5;
      c.batch_size = 4;
      c.crop_frames = 9;
      break;
    case CodecStage::kJoint:
      c.optimizer.total_steps = 20000;
      c.optimizer.learning_rate = 1e-4;
      c.optimizer.beta1 = 0.8;
      c.optimizer.max_grad_norm = 5;
      c.batch_size = 16;
      c.crop_frames = 12;
      break;
  }
  resolve(c);
  return c;
}

CodecTrainConfig read_codec_config(const std::vector<std::pair<std::string, std::string>>& yamls,
                                   const std::vector<std::string>& settings,
                                   const std::string& stage) {
  CodecTrainConfig config;
  const auto read = [&] {
    for (const auto& yaml : yamls)
      each_key(yaml.first, yaml.second, [&](const std::string& key, const YamlValue& value) {
        apply_key(keys(), key, value, yaml.second, config);
      });
    for (const std::string& setting : settings) {
      const size_t sign = setting.find('=');
      require(sign != std::string::npos, "--set ", setting, " has no \"=\"");
      apply_key(keys(), setting.substr(0, sign), setting_value(setting.substr(sign + 1)), "--set",
                config);
    }
    if (!stage.empty()) apply_key(keys(), "stage", setting_value(stage), "--stage", config);
  };
  read();  // for the stage, whose defaults lie below everything
  config = codec_defaults(config.stage);
  read();
  resolve(config);
  return config;
}

std::string resolved_yaml(const CodecTrainConfig& config) {
  return keys_yaml(keys(), config, /*only_numeric=*/false);
}
std::string numeric_yaml(const CodecTrainConfig& config) {
  return keys_yaml(keys(), config, /*only_numeric=*/true);
}

void CodecTrainConfig::validate() const {
  const auto at_least = [](int64_t value, int64_t least, const char* name) {
    require(value >= least, name, " is ", value, ", must be ", least, " or more");
  };
  const auto share = [](double value, const char* name) {
    require(value >= 0 && value <= 1, name, " is ", value, ", must be 0 to 1");
  };
  require(!data.empty(), "no sounds to train on: data");
  require(stage == CodecStage::kMel || !init.empty(), "stage ", stage_name(stage),
          " starts from what another has left: init");
  require(codes == "encoder" || codes == "analysis" || codes == "mixed", "codes is \"", codes,
          "\", must be encoder, analysis or mixed");
  train::validate(optimizer);
  require(more_dilations.empty() || !init.empty(),
          "more_dilations deepens a decoder that is there: init; of a new one, decoder_dilations");
  for (const int dilation : more_dilations) at_least(dilation, 1, "more_dilations");
  at_least(batch_size, 1, "batch_size");
  at_least(crop_frames, 1, "crop_frames");
  require(context_frames < crop_frames, "context_frames is ", context_frames,
          ", must be less than crop_frames, which is ", crop_frames);
  at_least(analysis.bands, 1, "mel_bands");
  require(start_share >= 0 && start_share <= 1, "start_share is ", start_share, ", must be 0 to 1");
  at_least(analysis.width, 1, "analysis_width");
  share(group_dropout, "group_dropout");
  share(group_dropout_from, "group_dropout_from");
  share(rate_from, "rate_from");
  require(rate_over > 0, "rate_over is ", rate_over, ", must be above 0");
  share(encoder_mel_from, "encoder_mel_from");
  require(encoder_mel_over > 0, "encoder_mel_over is ", encoder_mel_over, ", must be above 0");
  for (const auto& [name, value] : {std::pair{"change_weight", change_weight},
                                    {"limit_weight", limit_weight},
                                    {"latent_limit", latent_limit},
                                    {"rate_weight", rate_weight},
                                    {"encoder_mel_weight", encoder_mel_weight},
                                    {"mel_weight", mel_weight},
                                    {"magnitude_weight", magnitude_weight},
                                    {"clip_weight", clip_weight},
                                    {"aux_weight", aux_weight},
                                    {"adversarial_weight", adversarial_weight},
                                    {"feature_weight", feature_weight}})
    require(std::isfinite(value) && value >= 0, name, " is ", value, ", must be 0 or more");
  require(critic_learning_rate > 0, "critic_learning_rate is ", critic_learning_rate,
          ", must be above 0");
  critics.validate();
  at_least(save_steps, 1, "save_steps");
  at_least(logging_steps, 1, "logging_steps");
  at_least(eval_every, 1, "eval_every");
  at_least(eval_crops, 1, "eval_crops");
  require(ema_decay >= 0 && ema_decay < 1, "ema_decay is ", ema_decay, ", must be 0 to below 1");
  require(threads >= 0 && threads <= 1024, "threads is ", threads, ", must be 0 to 1024");
}

}  // namespace kani::train
