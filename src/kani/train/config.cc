// config.cc - see config.h: one table of keys, read in both directions.
#include "kani/train/config.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kani/base/error.h"
#include "kani/base/yaml.h"
#include "kani/train/keys.h"

namespace kani::train {
namespace {

using Key = ConfigKey<TrainConfig>;

template <typename Member>
Key key(const char* name, bool numeric, Member member) {
  return config_key<TrainConfig>(name, numeric, member);
}

// A number that may be left open: null.
template <typename Member>
Key open_number(const char* name, Member member) {
  return {name, /*numeric=*/true,
          [member](TrainConfig& c, const YamlValue& v) {
            auto& target = member(c);
            if (v.kind == YamlValue::Kind::kNull) return target.reset();
            read_value(target.emplace(), v);
          },
          [member](const TrainConfig& c) {
            const auto& value = member(const_cast<TrainConfig&>(c));
            return value ? value_text(*value) : std::string("null");
          }};
}

#define KANI_FIELD(path) \
  [](TrainConfig & c) -> auto& { return c.path; }

void add_lora_keys(std::vector<Key>& k) {
  k.push_back(key("lora_rank", true, KANI_FIELD(lora.rank)));
  k.push_back(key("lora_alpha", true, KANI_FIELD(lora.alpha)));
  k.push_back(key("lora_dropout", true, KANI_FIELD(lora.dropout)));
  k.push_back(key("use_rslora", true, KANI_FIELD(lora.rank_stabilized)));
  k.push_back(key("lora_targets", true, KANI_FIELD(lora.targets)));
  k.push_back(key("modules_to_save", true, KANI_FIELD(lora.also_trained)));
}

void add_start_keys(std::vector<Key>& k) {
  k.push_back(key("from_upstream", true, KANI_FIELD(from_upstream)));
  k.push_back(key("first_train", true, KANI_FIELD(growth.first_train)));
  k.push_back(key("init_from_scratch", true, KANI_FIELD(growth.init_from_scratch)));
  k.push_back(open_number("audio_tokens_start", KANI_FIELD(growth.audio_tokens_start)));
  k.push_back(open_number("tokens_per_frame", KANI_FIELD(growth.tokens_per_frame)));
  k.push_back(open_number("speaker_emb_dim", KANI_FIELD(growth.speaker_emb_dim)));
  k.push_back(open_number("use_learnable_rope", KANI_FIELD(growth.use_learnable_rope)));
  k.push_back(open_number("alpha_min", KANI_FIELD(growth.alpha_min)));
  k.push_back(open_number("alpha_max", KANI_FIELD(growth.alpha_max)));
  k.push_back(key("audio_codebook_size", true, KANI_FIELD(growth.audio_codebook_size)));
  k.push_back(key("init_audio_rows", true, KANI_FIELD(growth.init_audio_rows)));
  k.push_back(key("alpha_init", true, KANI_FIELD(growth.alpha_init)));
  k.push_back(key("add_languages", true, KANI_FIELD(add_languages)));
  k.push_back(key("gradient_checkpointing", false, KANI_FIELD(gradient_checkpointing)));
  k.push_back(key("bf16", true, KANI_FIELD(bf16)));
  k.push_back(key("grad_dtype", true, KANI_FIELD(grad_dtype)));
  k.push_back(key("zero_stage", false, KANI_FIELD(optimizer.zero_stage)));
  k.push_back(key("deterministic", false, KANI_FIELD(deterministic)));
}

void add_small_model_keys(std::vector<Key>& k) {
  k.push_back(key("audio_table", true, KANI_FIELD(audio_table)));
  k.push_back(key("audio_levels", true, KANI_FIELD(audio_levels)));
  k.push_back(key("optimizer", true, KANI_FIELD(optimizer.rule)));
  k.push_back(key("muon_learning_rate", true, KANI_FIELD(optimizer.muon_learning_rate)));
  k.push_back(key("muon_momentum", true, KANI_FIELD(optimizer.muon_momentum)));
  k.push_back(key("guided_attention_weight", true, KANI_FIELD(guide.weight)));
  k.push_back(key("guided_attention_steps", true, KANI_FIELD(guide.steps)));
  k.push_back(key("guided_attention_width", true, KANI_FIELD(guide.width)));
  k.push_back(key("code_noise_digit", true, KANI_FIELD(code_noise.digit)));
  k.push_back(key("code_noise_random", true, KANI_FIELD(code_noise.random)));
}

const std::vector<Key>& keys() {
  static const std::vector<Key> list = [] {
    std::vector<Key> k;
    k.push_back(key("model_id", true, KANI_FIELD(model_id)));
    k.push_back(key("output_dir", false, KANI_FIELD(output_dir)));
    k.push_back(key("data", false, KANI_FIELD(data)));
    k.push_back(key("valid_data", false, KANI_FIELD(valid_data)));
    k.push_back(key("bad_shard_share", false, KANI_FIELD(bad_shard_share)));
    k.push_back(key("replay_data", false, KANI_FIELD(replay_data)));
    k.push_back(key("replay_share", true, KANI_FIELD(replay_share)));
    k.push_back(key("audio_step", true, KANI_FIELD(sequence.audio_step)));
    k.push_back(key("dedup_frames", true, KANI_FIELD(sequence.drop_repeated_frames)));
    k.push_back(key("learning_rate", true, KANI_FIELD(optimizer.learning_rate)));
    k.push_back(key("alpha_lr_ratio", true, KANI_FIELD(optimizer.alpha_lr_ratio)));
    k.push_back(key("adam_beta1", true, KANI_FIELD(optimizer.beta1)));
    k.push_back(key("adam_beta2", true, KANI_FIELD(optimizer.beta2)));
    k.push_back(key("adam_epsilon", true, KANI_FIELD(optimizer.epsilon)));
    k.push_back(key("weight_decay", true, KANI_FIELD(optimizer.weight_decay)));
    k.push_back(key("max_grad_norm", true, KANI_FIELD(optimizer.max_grad_norm)));
    k.push_back(key("warmup_steps", true, KANI_FIELD(optimizer.warmup_steps)));
    k.push_back(key("lr_scheduler_type", true, KANI_FIELD(optimizer.schedule)));
    k.push_back(key("min_lr_ratio", true, KANI_FIELD(optimizer.min_lr_ratio)));
    k.push_back(key("hold_share", true, KANI_FIELD(optimizer.hold_share)));
    k.push_back(key("parity", true, KANI_FIELD(parity)));
    k.push_back({"packing", true,
                 [](TrainConfig& c, const YamlValue& v) {
                   if (v.text == "rows") {
                     c.packing = Packing::kRows;
                   } else if (v.text == "none") {
                     c.packing = Packing::kNone;
                   } else {
                     refuse_value(v, "rows or none");
                   }
                 },
                 [](const TrainConfig& c) {
                   return std::string(c.packing == Packing::kRows ? "rows" : "none");
                 }});
    k.push_back(key("pack_length", true, KANI_FIELD(pack_length)));
    k.push_back(key("batch_tokens", true, KANI_FIELD(batch_tokens)));
    k.push_back(key("per_device_train_batch_size", true, KANI_FIELD(per_device_train_batch_size)));
    k.push_back(key("gradient_accumulation_steps", true, KANI_FIELD(gradient_accumulation_steps)));
    k.push_back(key("loss_chunk", true, KANI_FIELD(loss_chunk)));
    k.push_back(key("loss_on_text", true, KANI_FIELD(sequence.loss_on_text)));
    k.push_back(key("label_smoothing", true, KANI_FIELD(label_smoothing)));
    k.push_back(key("z_loss", true, KANI_FIELD(z_loss)));
    k.push_back(key("loss_weights", true, KANI_FIELD(loss_weights)));
    k.push_back(key("num_train_epochs", true, KANI_FIELD(num_train_epochs)));
    k.push_back(key("max_steps", true, KANI_FIELD(max_steps)));
    k.push_back(key("seed", true, KANI_FIELD(seed)));
    k.push_back(key("language_temperature", true, KANI_FIELD(language_temperature)));
    k.push_back(key("language_weights", true, KANI_FIELD(language_weights)));
    k.push_back(key("group_lr", true, KANI_FIELD(group_lr)));
    k.push_back(key("speaker_dropout", true, KANI_FIELD(speaker_dropout)));
    k.push_back(key("save_steps", false, KANI_FIELD(save_steps)));
    k.push_back(key("save_total_limit", false, KANI_FIELD(save_total_limit)));
    k.push_back(key("keep_every", false, KANI_FIELD(keep_every)));
    k.push_back(key("background_save", false, KANI_FIELD(background_save)));
    k.push_back(key("logging_steps", false, KANI_FIELD(logging_steps)));
    k.push_back(key("eval_every", false, KANI_FIELD(eval_every)));
    k.push_back(key("sample_every", false, KANI_FIELD(sample_every)));
    k.push_back(key("sample_prompts", false, KANI_FIELD(sample_prompts)));
    k.push_back(key("sample_codec", false, KANI_FIELD(sample_codec)));
    k.push_back(key("sample_voice", false, KANI_FIELD(sample_voice)));
    k.push_back(key("sample_reference", false, KANI_FIELD(sample_reference)));
    k.push_back(key("sample_recognizer", false, KANI_FIELD(sample_recognizer)));
    k.push_back(key("peak_tflops", false, KANI_FIELD(peak_tflops)));
    k.push_back(key("ema_decay", true, KANI_FIELD(ema_decay)));
    k.push_back(key("freeze", true, KANI_FIELD(freeze)));
    k.push_back(key("device", false, KANI_FIELD(device)));
    add_lora_keys(k);
    add_start_keys(k);
    add_small_model_keys(k);
    k.push_back(key("threads", false, KANI_FIELD(threads)));
    k.push_back(key("timeout_s", false, KANI_FIELD(timeout_s)));
    return k;
  }();
  return list;
}

// Keys of upstream's files that mean nothing here: named once in the log of whoever reads them.
const std::vector<std::string>& foreign_keys() {
  static const std::vector<std::string> list{"text_vocab_size",
                                             "total_vocab_size",
                                             "num_audio_layers",
                                             "pad_token_id",
                                             "attn_implementation",
                                             "dtype",
                                             "overwrite_output_dir",
                                             "optim",
                                             "fp16",
                                             "report_to",
                                             "dataloader_num_workers",
                                             "remove_unused_columns",
                                             "average_tokens_across_devices",
                                             "dataset_path",
                                             "project",
                                             "name",
                                             "entity",
                                             "enable_metrics",
                                             "log_steps",
                                             "influence_steps",
                                             "print_interpretation"};
  return list;
}

void apply(const std::string& name, const YamlValue& value, std::string_view source,
           TrainConfig& config) {
  const auto& foreign = foreign_keys();
  if (std::find(foreign.begin(), foreign.end(), name) != foreign.end()) return;
  apply_key(keys(), name, value, source, config);
}

}  // namespace

void apply_yaml(std::string_view text, std::string_view source, TrainConfig& config) {
  each_key(text, source, [&](const std::string& key, const YamlValue& value) {
    apply(key, value, source, config);
  });
}

void apply_setting(std::string_view key, std::string_view value, TrainConfig& config) {
  apply(std::string(key), setting_value(value), "--set", config);
}

std::string resolved_yaml(const TrainConfig& config) {
  return keys_yaml(keys(), config, /*only_numeric=*/false);
}

std::string numeric_yaml(const TrainConfig& config) {
  return keys_yaml(keys(), config, /*only_numeric=*/true);
}

void TrainConfig::validate() const {
  const auto at_least = [](int64_t value, int64_t least, const char* name) {
    require(value >= least, name, " is ", value, ", must be ", least, " or more");
  };
  require(!model_id.empty(), "no model to start from: model_id");
  require(!data.empty(), "no data to train on: data");
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
  require(std::isfinite(sequence.audio_step) && sequence.audio_step > 0, "audio_step is ",
          sequence.audio_step, ", must be above 0");
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
  numbers_of(loss_weights, "loss_weights");
  numbers_of(language_weights, "language_weights");
  numbers_of(group_lr, "group_lr");
  require(ema_decay >= 0 && ema_decay < 1, "ema_decay is ", ema_decay, ", must be 0 to below 1");
  require(grad_dtype == "f32" || grad_dtype == "bf16", "grad_dtype is \"", grad_dtype,
          "\", must be f32 or bf16");
  lora.validate();
  growth.validate();
  require(audio_table == "rows" || factorised(), "audio_table is \"", audio_table,
          "\", must be rows or factorised");
  require(
      !factorised() || lora.rank == 0,
      "audio_table factorised has no place beside lora_rank: adapters leave the table as it is");
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
