// upstream_keys.cc - see upstream_keys.h.
#include "kani/train/upstream_keys.h"

#include <algorithm>
#include <array>

#include "kani/base/error.h"
#include "kani/train/keys.h"

namespace kani::train {
namespace {

constexpr std::array kAlone{"text_vocab_size",
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
                            "dataset_path",
                            "project",
                            "name",
                            "entity",
                            "enable_metrics",
                            "log_steps",
                            "influence_steps",
                            "print_interpretation"};

// One value is what we do, others may pass with a word, the rest is refused.
struct Rule {
  const char* name;
  std::vector<std::string> same, passed;
  const char* wanted;
};
const std::vector<Rule>& rules() {
  static const std::vector<Rule> list{
      {"fp16", {"false"}, {}, "false; bf16: true rounds matrix products"},
      {"remove_unused_columns", {"false"}, {}, "false: voices are a column of the data"},
      {"optim",
       {"adamw_torch", "adamw_torch_fused"},
       {},
       "adamw_torch or adamw_torch_fused; our own key \"optimizer\" knows muon, too"},
      {"dtype",
       {"float32"},
       {"bfloat16"},
       "bfloat16 or float32; weights are float32 here in any case"}};
  return list;
}

}  // namespace

bool is_upstreams_alone(std::string_view name) {
  return std::find(kAlone.begin(), kAlone.end(), name) != kAlone.end();
}

bool is_done_anyway(const std::string& name, const YamlValue& value, std::string_view source) {
  const auto rule = std::find_if(rules().begin(), rules().end(),
                                 [&](const Rule& known) { return name == known.name; });
  if (rule == rules().end() || value.kind == YamlValue::Kind::kNull) return false;
  const auto among = [&](const std::vector<std::string>& values) {
    return std::find(values.begin(), values.end(), value.text) != values.end();
  };
  if (among(rule->same)) return true;
  if (!among(rule->passed))
    throw Error(ErrorCode::kBadInput, source, ": ", name, " is \"", value.text, "\"",
                line_text(value), ", must be ", rule->wanted);
  return false;
}

void refuse_others_files(const YamlValue& document, std::string_view source) {
  for (const char* key : {"hf_datasets", "max_duration_sec", "lenght_statistics"}) {
    if (document.find(key) == nullptr) continue;
    throw Error(ErrorCode::kBadInput, source, ": ", key,
                " says what a set of data is made of, which kani-data reads")
        .with_hint(concat("kani-data prepare --config ", source,
                          " --tokenizer BASE --model BASE/config.json --out SET, then kani-train "
                          "--data SET"));
  }
  if (document.find("distributed_type") != nullptr)
    throw Error(ErrorCode::kBadInput, source,
                ": distributed_type belongs to accelerate, which has no part here")
        .with_hint("several processes are started by torchrun, mpirun or srun");
}

void take_upstream_defaults(const std::set<std::string>& given, bool model_section,
                            TrainConfig& config) {
  const auto lacks = [&](const char* name) { return !given.contains(name); };
  if (lacks("per_device_train_batch_size")) config.per_device_train_batch_size = 8;
  if (lacks("gradient_accumulation_steps")) config.gradient_accumulation_steps = 4;
  if (lacks("alpha_lr_ratio")) config.optimizer.alpha_lr_ratio = 0.01;
  if (lacks("first_train") && model_section && !config.from_upstream)
    config.growth.first_train = true;
  // A base that is complete says itself whether it has factors.
  if (lacks("use_learnable_rope") && (config.growth.first_train || config.growth.init_from_scratch))
    config.growth.use_learnable_rope = false;
}

bool is_decided_by_parity(std::string_view name) {
  constexpr std::array kDecided{"packing", "dedup_frames", "language_temperature",
                                "init_audio_rows", "alpha_init"};
  return std::find(kDecided.begin(), kDecided.end(), name) != kDecided.end();
}

void refuse_beside_parity(const std::set<std::string>& given, const TrainConfig& config) {
  const auto refuse = [&](const char* name, bool differs, const char* wanted) {
    require(!differs || !given.contains(name), name, " contradicts parity: it must be ", wanted,
            ", or left out");
  };
  refuse("packing", config.packing != Packing::kNone, "none, upstream has micro-batches of clips");
  refuse("dedup_frames", !config.sequence.drop_repeated_frames,
         "true, upstream leaves out frames that repeat the one before");
  refuse("language_temperature", config.language_temperature != 1,
         "1, upstream takes every clip once an epoch");
  refuse("init_audio_rows", config.growth.init_audio_rows.value_or("mean") != "mean",
         "mean, upstream's rule for new rows");
}

void take_upstream_rules(TrainConfig& config) {
  config.packing = Packing::kNone;
  config.sequence.drop_repeated_frames = true;
  config.language_temperature = 1;
  config.optimizer.warm_from_zero = true;
}

}  // namespace kani::train
