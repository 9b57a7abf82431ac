// config.cc - see config.h.  The keys stand in config_keys.cc.
#include "kani/train/config.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/base/yaml.h"
#include "kani/train/config_keys.h"
#include "kani/train/keys.h"
#include "kani/train/upstream_keys.h"

namespace kani::train {
namespace {

// What was read on the way to a configuration.
struct Read {
  std::set<std::string> keys;
  std::vector<std::string> passed_over;  // upstream's keys that mean nothing here
  bool file = false, model_section = false;
  std::optional<int64_t> audio_layers;  // num_audio_layers
};

void apply(const std::string& name, const YamlValue& value, std::string_view source,
           TrainConfig& config, Read& read) {
  if (!is_upstreams_alone(name)) {
    apply_key(train_keys(), name, value, source, config);
    read.keys.insert(name);
    return;
  }
  if (name == "num_audio_layers") read.audio_layers = value.integer();
  auto& passed = read.passed_over;
  if (!is_done_anyway(name, value, source) &&
      std::find(passed.begin(), passed.end(), name) == passed.end())
    passed.push_back(name);
}

void apply_document(std::string_view text, std::string_view source, TrainConfig& config,
                    Read& read) {
  const YamlValue document = parse_yaml(text, source);
  refuse_others_files(document, source);
  const YamlValue* model = document.find("model");
  read.file = true;
  read.model_section |= model != nullptr && model->kind == YamlValue::Kind::kMap;
  each_key(text, source, [&](const std::string& key, const YamlValue& value) {
    apply(key, value, source, config, read);
  });
}

}  // namespace

void apply_yaml(std::string_view text, std::string_view source, TrainConfig& config) {
  Read read;
  apply_document(text, source, config, read);
}

void apply_setting(std::string_view key, std::string_view value, TrainConfig& config) {
  Read read;
  apply(std::string(key), setting_value(value), "--set", config, read);
}

TrainConfig read_config(const std::vector<std::pair<std::string, std::string>>& yamls,
                        const std::vector<std::string>& settings, TrainConfig config) {
  Read read;
  for (const auto& [text, source] : yamls) apply_document(text, source, config, read);
  for (const std::string& setting : settings) {
    const size_t sign = setting.find('=');
    require(sign != std::string::npos, "--set ", setting, " has no \"=\"");
    apply(setting.substr(0, sign), setting_value(setting.substr(sign + 1)), "--set", config, read);
  }
  if (config.parity && read.file) take_upstream_defaults(read.keys, read.model_section, config);
  if (config.parity) refuse_beside_parity(read.keys, config);
  const auto& growth = config.growth;
  if (read.audio_layers && (growth.first_train || growth.tokens_per_frame))
    require(*read.audio_layers == growth.tokens_per_frame.value_or(4), "num_audio_layers is ",
            *read.audio_layers, ", must be the same as tokens_per_frame, which is ",
            growth.tokens_per_frame.value_or(4));
  if (!read.passed_over.empty()) {
    std::string names;
    for (const std::string& name : read.passed_over) names += (names.empty() ? "" : ", ") + name;
    log_warning("train", "keys of upstream's that mean nothing here are passed over: ", names);
  }
  return config;
}

std::string keys_text(const TrainConfig& config) { return keys_list(train_keys(), config); }

TrainConfig resolved_config(std::string_view resolved, std::string_view source) {
  TrainConfig config;
  each_key(resolved, source, [&](const std::string& name, const YamlValue& value) {
    const auto& keys = train_keys();
    const bool known =
        std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
    if (known) apply_key(keys, name, value, source, config);
  });
  return config;
}

std::string changed_keys(std::string_view resolved, std::string_view source,
                         const TrainConfig& config) {
  const TrainConfig then = resolved_config(resolved, source);
  std::string out;
  for (const auto& key : train_keys()) {
    // Older programs wrote down what nobody asked them for.
    if (then.parity && config.parity && is_decided_by_parity(key.name)) continue;
    const std::string was = key.write(then), is = key.write(config);
    if (key.numeric && was != is)
      out += concat(out.empty() ? "" : "; ", key.name, " was ", was, ", is ", is);
  }
  return out;
}

std::string resolved_yaml(const TrainConfig& config) {
  return keys_yaml(train_keys(), config, /*only_numeric=*/false);
}

std::string numeric_yaml(const TrainConfig& config) {
  return keys_yaml(train_keys(), config, /*only_numeric=*/true);
}

std::string identity_yaml(const TrainConfig& config, int processes) {
  const bool counts = config.parity && processes > 1;
  return numeric_yaml(config) + (counts ? concat("processes: ", processes, "\n") : std::string());
}

void TrainConfig::validate() const {
  const auto at_least = [](int64_t value, int64_t least, const char* name) {
    require(value >= least, name, " is ", value, ", must be ", least, " or more");
  };
  require(!model_id.empty(), "no model to start from: --model FOLDER (key model_id)");
  require(!data.empty(), "no data to train on: --data SET (key data)");
  at_least(pack_length, 16, "pack_length");
  at_least(batch_tokens, 1, "batch_tokens");
  at_least(per_device_train_batch_size, 1, "per_device_train_batch_size");
  at_least(gradient_accumulation_steps, 1, "gradient_accumulation_steps");
  at_least(loss_chunk, 1, "loss_chunk");
  at_least(save_steps, 1, "save_steps");
  at_least(logging_steps, 1, "logging_steps");
  at_least(eval_every, 1, "eval_every");
  at_least(timeout_s, 1, "timeout_s");
  require(sample_every == 0 || !sample_prompts.empty(), "sample_every needs sample_prompts");
  require(sample_voice.empty() || sample_reference.empty(),
          "sample_voice and sample_reference are both given, samples have one voice");
  require(std::isfinite(peak_tflops) && peak_tflops >= 0, "peak_tflops is ", peak_tflops,
          ", must be 0 or more");
  require(std::isfinite(num_train_epochs) && (num_train_epochs > 0 || max_steps > 0),
          "num_train_epochs is ", num_train_epochs, ", must be above 0");
  require(speaker_dropout >= 0 && speaker_dropout <= 1, "speaker_dropout is ", speaker_dropout,
          ", must be 0 to 1");
  require(
      std::isfinite(language_temperature) && language_temperature >= 0 && language_temperature <= 1,
      "language_temperature is ", language_temperature, ", must be 0 to 1");
  require(replay_share >= 0 && replay_share < 1, "replay_share is ", replay_share,
          ", must be 0 to below 1");
  require((replay_share > 0) == !replay_data.empty(),
          "replay_data and replay_share belong together: --replay DATA=SHARE");
  require(replay_share == 0 || !parity, "replay_data has no place beside parity");
  require(label_smoothing >= 0 && label_smoothing < 1, "label_smoothing is ", label_smoothing,
          ", must be 0 to below 1");
  require(std::isfinite(z_loss) && z_loss >= 0, "z_loss is ", z_loss, ", must be 0 or more");
  require(!parity || (sequence.loss_on_text && label_smoothing == 0 && z_loss == 0 &&
                      loss_weights.empty()),
          "loss_on_text, label_smoothing, z_loss and loss_weights have no place beside parity");
  require(!parity || language_weights.empty(),
          "language_weights have no place beside parity: upstream takes every clip once an epoch");
  numbers_of(loss_weights, "loss_weights");
  numbers_of(language_weights, "language_weights");
  numbers_of(group_lr, "group_lr");
  require(ema_decay >= 0 && ema_decay < 1, "ema_decay is ", ema_decay, ", must be 0 to below 1");
  require(grad_dtype == "f32" || grad_dtype == "bf16", "grad_dtype is \"", grad_dtype,
          "\", must be f32 or bf16");
  require(weight_dtype == "f32" || weight_dtype == "bf16", "weight_dtype is \"", weight_dtype,
          "\", must be f32 or bf16");
  require(weight_dtype == "f32" || bf16,
          "weight_dtype bf16 needs bf16: true; products of more digits than the weights have gain "
          "nothing");
  require(weight_dtype == "f32" || (lora.token_rows.empty() && !factorised()),
          "weight_dtype bf16 has no place beside trainable_token_indices and audio_table "
          "factorised, whose rows are float32");
  require(!parity || (weight_dtype == "f32" && !fp8 && !repeat_first_update),
          "weight_dtype, fp8 and repeat_first_update have no place beside parity");
  require(rope_precision == "f32" || rope_precision == "bf16", "rope_precision is \"",
          rope_precision, "\", must be f32 or bf16");
  require(valid_fraction >= 0 && valid_fraction <= 0.5, "valid_fraction is ", valid_fraction,
          ", must be 0 to 0.5");
  require(valid_fraction == 0 || valid_data.empty(),
          "valid_fraction and valid_data are both given; one of them says what is measured on");
  at_least(length_buckets, 0, "length_buckets");
  require(length_buckets == 0 || (packing == Packing::kNone && !parity),
          "length_buckets needs packing none, and has no place beside parity, whose order is "
          "upstream's");
  lora.validate();
  growth.validate();
  require(audio_table == "rows" || factorised(), "audio_table is \"", audio_table,
          "\", must be rows or factorised");
  require(
      !factorised() || lora.rank == 0,
      "audio_table factorised has no place beside lora_rank: adapters leave the table as it is");
  require(audio_softmax == "all" || (audio_softmax == "due" && !factorised()),
          "audio_softmax is \"", audio_softmax,
          "\", must be all, or due where audio_table is rows: over sums all ids cost little");
  require(audio_softmax == "all" || !parity,
          "audio_softmax due has no place beside parity, whose loss is over all ids");
  levels();
  code_noise.validate();
  guide.validate();
  require(lora.rank == 0 || freeze.empty(),
          "freeze has no place beside lora_rank: all but the adapters and modules_to_save stay as "
          "they are");
  require(
      !from_upstream || (lora.rank == 0 && !growth.init_from_scratch && !factorised() &&
                         optimizer.rule == "adamw"),
      "from_upstream has no place beside lora_rank, init_from_scratch, audio_table factorised and "
      "optimizer muon: its moments are AdamW's, of all weights");
  require(threads >= 0 && threads <= 1024, "threads is ", threads, ", must be 0 to 1024");
}

std::vector<int64_t> TrainConfig::levels() const {
  std::vector<int64_t> out;
  int64_t codes = 1;
  for (const std::string& entry : audio_levels) {
    YamlValue scalar;
    scalar.kind = YamlValue::Kind::kScalar;
    scalar.text = entry;
    const auto value = scalar.integer();
    require(value && *value >= 2 && *value <= 4096, "audio_levels has \"", entry,
            "\", must be whole numbers of 2 to 4096");
    out.push_back(*value);
    codes *= *value;
    require(codes <= 1 << 16, "audio_levels make more than 65536 codes");
  }
  require(!out.empty(), "audio_levels is empty, must be the levels of a code's digits");
  return out;
}

std::map<std::string, double> TrainConfig::numbers_of(const std::vector<std::string>& entries,
                                                      const char* key) {
  std::map<std::string, double> out;
  for (const std::string& entry : entries) {
    const size_t sign = entry.rfind('=');
    YamlValue scalar;
    scalar.kind = YamlValue::Kind::kScalar;
    if (sign != std::string::npos) scalar.text = entry.substr(sign + 1);
    const auto value = scalar.number();
    require(value && sign > 0 && std::isfinite(*value) && *value >= 0, key, " has \"", entry,
            "\", must be NAME=NUMBER of 0 or more");
    out[entry.substr(0, sign)] = *value;
  }
  return out;
}

}  // namespace kani::train
