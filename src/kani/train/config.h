// config.h - what a training run is told: upstream's keys under upstream's names, and ours.
// Source: training.md 3, 4, 14.11.  One YAML file with sections (model, training, …) or several;
// later ones and flags win.  Unknown keys are errors that name the nearest known one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kani/train/code_noise.h"
#include "kani/train/growth_settings.h"
#include "kani/train/guide_settings.h"
#include "kani/train/lora_settings.h"
#include "kani/train/optimizer_settings.h"
#include "kani/train/sequence.h"

namespace kani::train {

enum class Packing { kRows, kNone };

struct TrainConfig {
  // What to start from and where to.
  std::string model_id;  // folder of a model
  std::string output_dir = "./checkpoints";
  double bad_shard_share = 0.001;  // of the shards, that may be left out
  std::vector<std::string> data;   // shards or folders of them
  std::vector<std::string> valid_data;
  double valid_fraction =
      0;  // without valid_data: share of the clips of `data` that are kept for it
  std::vector<std::string> replay_data;  // what the model knows already and is not to forget
  double replay_share = 0;               // of an epoch's clips
  // Rules of sequences and update.
  SequenceRules sequence;  // its audio_step is the model's (growth.audio_step)
  OptimizerSettings optimizer;
  bool parity = false;  // upstream's rules where ours differ
  // Batches.
  Packing packing = Packing::kRows;
  int64_t pack_length = 16384;              // elements of a row
  int64_t batch_tokens = 131072;            // elements of an update, over all ranks
  int64_t per_device_train_batch_size = 6;  // clips of a micro-batch (packing none)
  int64_t length_buckets = 0;  // packing none: like lengths together, out of so many micro-batches
  // Micro-batches of an update (packing none): of each process with parity, else of all together.
  int64_t gradient_accumulation_steps = 6;
  // With parity: the loss is divided by the labels of all processes, not by each one's own.
  bool average_tokens_across_devices = false;
  int64_t loss_chunk = 2048;  // elements whose logits exist at a time
  // The loss (ops.h, loss_weights.h).
  double label_smoothing = 0, z_loss = 0;
  std::vector<std::string> loss_weights;  // "codebook_0=2": by kind of target
  double num_train_epochs = 3;
  int64_t max_steps = 0;  // 0: by epochs
  uint64_t seed = 42;
  bool repeat_first_update = false;   // every update has the clips of the first
  double language_temperature = 0.5;  // a language's share ~ weight x clips^this; 1: as it is
  std::vector<std::string> language_weights;  // "ky=3"
  double speaker_dropout = 0;                 // share of clips that are trained without their voice
  // Files and reports.
  int64_t save_steps = 5000;
  int64_t save_total_limit = 10;  // older checkpoints go; 0: all stay
  bool background_save = true;    // the run goes on while a copy is written
  int64_t keep_every = 0;         // updates whose checkpoints stay for ever; 0: none
  int64_t logging_steps = 1;
  int64_t eval_every = 1000;
  int64_t sample_every = 0;  // updates between spoken samples; 0: none
  std::vector<std::string> sample_prompts;
  std::string sample_codec;       // codec for them, if the model's folder has none
  std::string sample_voice;       // a voice file for them
  std::string sample_reference;   // instead a recording whose voice they are to have
  std::string sample_recognizer;  // a command that writes down what it hears, as kani eval takes it
  double peak_tflops = 0;         // of one process, for the model's share of it (MFU); 0: not shown
  double ema_decay = 0;           // 0: no average of the weights
  std::vector<std::string> group_lr;  // "embed_tokens=0.1": factor on the learning rate by name
  std::vector<std::string> freeze;    // parts of names whose parameters stay as they are
  LoraSettings lora;
  GrowthSettings growth;
  std::vector<std::string> allow_unexpected;  // names of surplus tensors of the base, with *
  bool from_upstream = false;  // model_id is a checkpoint of upstream's trainer, which goes on
  std::vector<std::string> add_languages;                     // tags that the model learns
  std::string audio_table = "rows";                           // rows, factorised (audio_table.h)
  std::vector<std::string> audio_levels{"9", "8", "8", "7"};  // of a code's digits
  std::string audio_softmax = "all";                          // all, due (due_loss.h)
  CodeNoise code_noise;                                       // on the codes that the model sees
  GuideSettings guide;                                        // of attention, at the start
  bool gradient_checkpointing = false;  // layers are computed again in the backward pass
  bool bf16 = false;                    // matrix products in bf16, all else in float32
  std::string rope_precision = "f32";   // of RoPE's frequencies: f32, bf16 (training.md 7.5)
  bool fp8 = false;                     // products of the feed-forward layers in 8 bits
  std::string weight_dtype = "f32";     // what large weights are kept in: f32, bf16
  std::string grad_dtype = "f32";       // of gradients on their way between processes: f32, bf16
  bool deterministic = true;            // on GPUs; false: LibTorch may take faster forms
  std::string device = "auto";          // auto, cpu, cuda, cuda:N (cuda_device.h)
  int threads = 0;                      // 0: as many as LibTorch takes
  int64_t timeout_s = 60;               // for what other processes must do

  /// Throws Error(kInvalidArgument) naming key, value and rule.
  void validate() const;
  /// "name=number" entries of a list.  Throws Error(kInvalidArgument) naming the key.
  static std::map<std::string, double> numbers_of(const std::vector<std::string>& entries,
                                                  const char* key);
  bool factorised() const { return audio_table == "factorised"; }
  /// audio_levels as numbers.  Throws Error(kInvalidArgument).
  std::vector<int64_t> levels() const;
};

/// A configuration from files, texts with their names, and then "key=value" settings; later ones
/// win.  Keys of upstream's that mean nothing here are named in one warning.  With parity and a
/// file a key that nobody gives has the value that upstream's code takes for it (upstream_keys.h).
/// Throws Error as apply_yaml().
/// What is given and contradicts parity is refused.  `config` is what they begin with.
TrainConfig read_config(const std::vector<std::pair<std::string, std::string>>& yamls,
                        const std::vector<std::string>& settings, TrainConfig config = {});
/// Applies a YAML document to `config`; `source` names it.  Sections are taken apart; what a key
/// means does not depend on its section.  Throws Error(kBadInput) with line, key and the nearest
/// known key, for keys of upstream's that ask for what is not done here, and for its files that
/// others read.
void apply_yaml(std::string_view text, std::string_view source, TrainConfig& config);
/// One "key=value", as a flag gives it.
void apply_setting(std::string_view key, std::string_view value, TrainConfig& config);
/// All keys, their values and what they mean, a line each, as YAML.
std::string keys_text(const TrainConfig& config);
/// What resolved_yaml() once wrote, perhaps in an older program: keys that are not known any more
/// are passed over, others that it lacks had their defaults.  Throws Error(kBadInput).
TrainConfig resolved_config(std::string_view resolved, std::string_view source);
/// Keys that change the numbers and have another value than in such a text: "seed was 42, is 1; …".
/// Throws Error(kBadInput).
std::string changed_keys(std::string_view resolved, std::string_view source,
                         const TrainConfig& config);
/// All keys with their values, as YAML that apply_yaml() reads back.
std::string resolved_yaml(const TrainConfig& config);
/// The same without what does not change the numbers: places, intervals of reports.
std::string numeric_yaml(const TrainConfig& config);
/// What must be the same when a run is resumed: that, and with parity the number of processes,
/// which is part of upstream's rules.
std::string identity_yaml(const TrainConfig& config, int processes);

}  // namespace kani::train
