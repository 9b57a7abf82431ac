// codec_config.cc - see codec_config.h; the table of keys is in codec_keys.cc.
#include "kani/train/codec/codec_config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "kani/train/codec/codec_keys.h"

namespace kani::train {
namespace {

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

int64_t product_of(const std::vector<int>& rates) {
  int64_t product = 1;
  for (const int rate : rates) product = std::min<int64_t>(product * std::max(1, rate), 1 << 24);
  return product;
}

void resolve(CodecTrainConfig& config) {
  config.codec.samples_per_frame = static_cast<int>(product_of(config.codec.decoder.rates));
}

bool same_place(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b ||
         (!a.empty() && !b.empty() && std::filesystem::equivalent(a, b, ignored) && !ignored);
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
        apply_key(codec_keys(), key, value, yaml.second, config);
      });
    for (const std::string& setting : settings) {
      const size_t sign = setting.find('=');
      require(sign != std::string::npos, "--set ", setting, " has no \"=\"");
      apply_key(codec_keys(), setting.substr(0, sign), setting_value(setting.substr(sign + 1)),
                "--set", config);
    }
    if (!stage.empty()) apply_key(codec_keys(), "stage", setting_value(stage), "--stage", config);
  };
  read();  // for the stage, whose defaults lie below everything
  config = codec_defaults(config.stage);
  read();
  resolve(config);
  return config;
}

std::string resolved_yaml(const CodecTrainConfig& config) {
  return keys_yaml(codec_keys(), config, /*only_numeric=*/false);
}
std::string keys_text(const CodecTrainConfig& config) { return keys_list(codec_keys(), config); }
std::string numeric_yaml(const CodecTrainConfig& config) {
  return keys_yaml(codec_keys(), config, /*only_numeric=*/true);
}

std::string changed_keys(std::string_view resolved, std::string_view source,
                         const CodecTrainConfig& config) {
  CodecTrainConfig then = codec_defaults(config.stage);
  each_key(resolved, source, [&](const std::string& name, const YamlValue& value) {
    const auto& keys = codec_keys();
    const bool known =
        std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
    if (known) apply_key(keys, name, value, source, then);
  });
  if (same_place(then.init, config.init)) then.init = config.init;
  std::string out;
  for (const auto& key : codec_keys()) {
    const std::string was = key.write(then), is = key.write(config);
    if (key.numeric && was != is)
      out += concat(out.empty() ? "" : "; ", key.name, " was ", was, ", is ", is);
  }
  return out;
}

void CodecTrainConfig::validate() const {
  const auto at_least = [](int64_t value, int64_t least, const char* name) {
    require(value >= least, name, " is ", value, ", must be ", least, " or more");
  };
  const auto share = [](double value, const char* name) {
    require(value >= 0 && value <= 1, name, " is ", value, ", must be 0 to 1");
  };
  require(!data.empty(), "no sounds to train on: --data (key data)");
  require(stage == CodecStage::kMel || !init.empty(), "stage ", stage_name(stage),
          " starts from what another has left: --init (key init)");
  require(codes == "encoder" || codes == "analysis" || codes == "mixed", "codes is \"", codes,
          "\", must be encoder, analysis or mixed");
  require(!mel_guards.empty(), "mel_guards is empty, must be levels of mels, [0.002] for example");
  for (const double guard : mel_guards)
    require(std::isfinite(guard) && guard > 0, "mel_guards has ", guard, ", must be above 0");
  train::validate(optimizer);
  for (const auto& [rates, name] : {std::pair{&codec.encoder.rates, "encoder_rates"},
                                    std::pair{&codec.decoder.rates, "decoder_rates"}}) {
    for (const int rate : *rates)
      require(rate >= 1 && rate <= 64, name, " has ", rate, ", must be whole numbers of 1 to 64");
  }
  require(!init.empty() || product_of(codec.encoder.rates) == product_of(codec.decoder.rates),
          "encoder_rates make frames of ", product_of(codec.encoder.rates),
          " samples, decoder_rates of ", product_of(codec.decoder.rates),
          ": the products of both must be the same");
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
                                    {"spread_weight", spread_weight},
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
