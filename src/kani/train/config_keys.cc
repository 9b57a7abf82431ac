// config_keys.cc - see config_keys.h.
#include "kani/train/config_keys.h"

namespace kani::train {
namespace {

using Key = ConfigKey<TrainConfig>;
using Keys = std::vector<Key>;

// A key that changes the numbers that come out …
template <typename Member>
void numeric(Keys& keys, const char* name, Member member, const char* meaning) {
  keys.push_back(config_key<TrainConfig>(name, /*numeric=*/true, member, meaning));
}
// … and one that does not.
template <typename Member>
void other(Keys& keys, const char* name, Member member, const char* meaning) {
  keys.push_back(config_key<TrainConfig>(name, /*numeric=*/false, member, meaning));
}
// A value that may be left open: null.
template <typename Member>
void open(Keys& keys, const char* name, Member member, const char* meaning) {
  keys.push_back({name, /*numeric=*/true,
                  [member](TrainConfig& c, const YamlValue& v) {
                    auto& target = member(c);
                    if (v.kind == YamlValue::Kind::kNull || (v.text == "null" && !v.quoted))
                      return target.reset();
                    read_value(target.emplace(), v);
                  },
                  [member](const TrainConfig& c) {
                    const auto& value = member(const_cast<TrainConfig&>(c));
                    return value ? value_text(*value) : std::string("null");
                  },
                  meaning});
}

#define KANI_FIELD(path) \
  [](TrainConfig & c) -> auto& { return c.path; }

void add_place_keys(Keys& k) {
  other(k, "model_id", KANI_FIELD(model_id), "folder of the model to start from; --model");
  other(k, "output_dir", KANI_FIELD(output_dir), "folder of checkpoints and logs; --out");
  other(k, "data", KANI_FIELD(data), "shards to train on, or folders of them; --data");
  other(k, "valid_data", KANI_FIELD(valid_data), "shards to measure on, never trained on; --valid");
  numeric(
      k, "valid_fraction", KANI_FIELD(valid_fraction),
      "without valid_data: share of the recordings of data that are measured on, never trained on");
  other(k, "bad_shard_share", KANI_FIELD(bad_shard_share),
        "of the shards, the most that may be damaged or missing; they are left out whole");
  other(k, "replay_data", KANI_FIELD(replay_data),
        "shards of what the model knows already; --replay");
  numeric(k, "replay_share", KANI_FIELD(replay_share),
          "share of an epoch's clips that come from replay_data");
}

void add_sequence_keys(Keys& k) {
  open(k, "audio_step", KANI_FIELD(growth.audio_step),
       "positions that a frame takes; null: as config.json says, else 1");
  numeric(k, "dedup_frames", KANI_FIELD(sequence.drop_repeated_frames),
          "leave out frames that equal the one before");
  numeric(k, "speaker_dropout", KANI_FIELD(speaker_dropout),
          "share of the clips, drawn anew in each epoch, that are trained without their voice");
  numeric(k, "loss_on_text", KANI_FIELD(sequence.loss_on_text),
          "false: only codes and what ends them are targets");
  numeric(k, "label_smoothing", KANI_FIELD(label_smoothing), "part of a target that all ids share");
  numeric(k, "z_loss", KANI_FIELD(z_loss),
          "weight of the square of the logits' log-sum-exp in the loss");
  numeric(k, "loss_weights", KANI_FIELD(loss_weights),
          "weights by kind of target, [text=0.1, control=1, codebook_0=2]");
  numeric(k, "loss_chunk", KANI_FIELD(loss_chunk),
          "elements whose logits exist at a time; on CPUs at most 256 MB of them");
}

void add_update_keys(Keys& k) {
  numeric(k, "learning_rate", KANI_FIELD(optimizer.learning_rate),
          "the learning rate at its height; with muon, AdamW's");
  numeric(k, "alpha_lr_ratio", KANI_FIELD(optimizer.alpha_lr_ratio),
          "learning rate of the RoPE factors = this x learning_rate");
  numeric(k, "group_lr", KANI_FIELD(group_lr),
          "factors on the learning rate by parts of parameters' names, [embed_tokens=0.1]");
  numeric(k, "lr_scheduler_type", KANI_FIELD(optimizer.schedule),
          "how the learning rate goes, by transformers' names");
  numeric(k, "warmup_steps", KANI_FIELD(optimizer.warmup_steps),
          "updates until the learning rate is at its height");
  numeric(k, "min_lr_ratio", KANI_FIELD(optimizer.min_lr_ratio),
          "where the rate ends, as a part of learning_rate");
  numeric(k, "hold_share", KANI_FIELD(optimizer.hold_share),
          "share of the updates behind the warm-up before the rate falls");
  numeric(k, "optimizer", KANI_FIELD(optimizer.rule),
          "adamw, or muon for the matrices of the layers");
  numeric(k, "muon_learning_rate", KANI_FIELD(optimizer.muon_learning_rate),
          "Muon's learning rate, under the same schedule");
  numeric(k, "muon_momentum", KANI_FIELD(optimizer.muon_momentum), "Muon's momentum");
  numeric(k, "adam_beta1", KANI_FIELD(optimizer.beta1), "AdamW: decay of the mean of gradients");
  numeric(k, "adam_beta2", KANI_FIELD(optimizer.beta2),
          "AdamW: decay of the mean of their squares");
  numeric(k, "adam_epsilon", KANI_FIELD(optimizer.epsilon), "AdamW: added to the root");
  numeric(k, "weight_decay", KANI_FIELD(optimizer.weight_decay),
          "decay of all weights but the RoPE factors, times the learning rate");
  numeric(k, "max_grad_norm", KANI_FIELD(optimizer.max_grad_norm),
          "longer gradients are cut to this norm; 0: none are");
  numeric(k, "ema_decay", KANI_FIELD(ema_decay),
          "keep an average of the weights with this decay; 0: none");
  numeric(k, "freeze", KANI_FIELD(freeze), "parts of names of parameters that stay as they are");
}

void add_batch_keys(Keys& k) {
  numeric(k, "parity", KANI_FIELD(parity), "upstream's rules where ours differ; --parity");
  k.push_back({"packing", true,
               [](TrainConfig& c, const YamlValue& v) {
                 if (v.text != "rows" && v.text != "none") refuse_value(v, "rows or none");
                 c.packing = v.text == "rows" ? Packing::kRows : Packing::kNone;
               },
               [](const TrainConfig& c) {
                 return std::string(c.packing == Packing::kRows ? "rows" : "none");
               },
               "rows: clips one behind the other; none: micro-batches of clips"});
  numeric(k, "pack_length", KANI_FIELD(pack_length), "elements of a row");
  numeric(k, "batch_tokens", KANI_FIELD(batch_tokens), "elements of an update, over all processes");
  numeric(k, "per_device_train_batch_size", KANI_FIELD(per_device_train_batch_size),
          "clips of a micro-batch (packing none, parity)");
  numeric(k, "length_buckets", KANI_FIELD(length_buckets),
          "packing none: clips of like length together, sorted within so many micro-batches; 0: as "
          "they come");
  numeric(k, "gradient_accumulation_steps", KANI_FIELD(gradient_accumulation_steps),
          "micro-batches of an update: with parity of each process, else (packing none) of all "
          "together");
  numeric(k, "average_tokens_across_devices", KANI_FIELD(average_tokens_across_devices),
          "with parity: divide by the labels of all processes, not by each one's own; without it "
          "that is always so");
  numeric(k, "num_train_epochs", KANI_FIELD(num_train_epochs),
          "passes over the data, if max_steps is 0");
  numeric(k, "max_steps", KANI_FIELD(max_steps), "updates in all; 0: by num_train_epochs; --steps");
  numeric(k, "seed", KANI_FIELD(seed), "of the order of clips and of all that is random");
  numeric(k, "repeat_first_update", KANI_FIELD(repeat_first_update),
          "to find faults: every update has the clips of the first, and the loss must fall to "
          "nothing");
  numeric(k, "language_temperature", KANI_FIELD(language_temperature),
          "a language's share of an epoch is weight x clips^this; 1: as it is");
  numeric(k, "language_weights", KANI_FIELD(language_weights),
          "a language's weight in its share of an epoch, [ky=3]");
}

void add_report_keys(Keys& k) {
  other(k, "save_steps", KANI_FIELD(save_steps), "updates between checkpoints");
  other(k, "save_total_limit", KANI_FIELD(save_total_limit), "checkpoints that are kept; 0: all");
  other(k, "keep_every", KANI_FIELD(keep_every),
        "checkpoints at multiples of so many updates are kept besides; 0: none");
  other(k, "background_save", KANI_FIELD(background_save),
        "the run goes on while a checkpoint is written");
  other(k, "logging_steps", KANI_FIELD(logging_steps),
        "updates between lines of progress, where it is no terminal");
  other(k, "eval_every", KANI_FIELD(eval_every), "updates between validations");
  other(k, "sample_every", KANI_FIELD(sample_every), "updates between spoken samples; 0: none");
  other(k, "sample_prompts", KANI_FIELD(sample_prompts), "texts of the spoken samples");
  other(k, "sample_codec", KANI_FIELD(sample_codec),
        "codec for spoken samples, if the model's folder has none");
  other(k, "sample_voice", KANI_FIELD(sample_voice), "voice file for spoken samples");
  other(k, "sample_reference", KANI_FIELD(sample_reference),
        "recording whose voice spoken samples have, in place of sample_voice");
  other(k, "sample_recognizer", KANI_FIELD(sample_recognizer),
        "command that writes down spoken samples, as --recognizer-batch of kani eval");
  other(k, "peak_tflops", KANI_FIELD(peak_tflops),
        "what the machine can do for one process, for MFU; 0: not shown");
}

void add_lora_keys(Keys& k) {
  numeric(k, "lora_rank", KANI_FIELD(lora.rank),
          "adapters of this rank instead of whole weights; 0: none");
  numeric(k, "lora_alpha", KANI_FIELD(lora.alpha), "scale of the adapters = this / lora_rank");
  numeric(k, "lora_dropout", KANI_FIELD(lora.dropout), "share of an adapter's inputs that are 0");
  numeric(k, "use_rslora", KANI_FIELD(lora.rank_stabilized),
          "scale of the adapters = lora_alpha / sqrt(lora_rank)");
  numeric(k, "lora_targets", KANI_FIELD(lora.targets),
          "ends of names of modules that get an adapter");
  numeric(k, "modules_to_save", KANI_FIELD(lora.also_trained),
          "parts of names of parameters that are trained whole beside adapters");
  numeric(
      k, "trainable_token_indices", KANI_FIELD(lora.token_rows),
      "rows of the embedding that are trained beside adapters: ids, or stretches as 64400-64409");
}

void add_start_keys(Keys& k) {
  numeric(k, "from_upstream", KANI_FIELD(from_upstream),
          "model_id is a checkpoint of upstream's trainer, whose run goes on; --from-upstream");
  numeric(k, "first_train", KANI_FIELD(growth.first_train),
          "the base is a text model, which gets rows, voice and RoPE factors");
  numeric(k, "init_from_scratch", KANI_FIELD(growth.init_from_scratch),
          "of the base only config.json and tokenizer count");
  open(k, "audio_tokens_start", KANI_FIELD(growth.audio_tokens_start),
       "first audio id; null: as config.json says, 64410 for a text model");
  open(k, "tokens_per_frame", KANI_FIELD(growth.tokens_per_frame),
       "codebooks; null: as config.json says, 4 for a text model");
  open(k, "speaker_emb_dim", KANI_FIELD(growth.speaker_emb_dim),
       "numbers of a voice; null: as config.json says, else 128");
  open(k, "use_learnable_rope", KANI_FIELD(growth.use_learnable_rope),
       "a RoPE factor for each attention layer; null: as config.json says, true for a text model");
  open(k, "alpha_min", KANI_FIELD(growth.alpha_min),
       "least RoPE factor; null: as config.json says, else 0.1");
  open(k, "alpha_max", KANI_FIELD(growth.alpha_max),
       "largest RoPE factor; null: as config.json says, else 2");
  numeric(k, "audio_codebook_size", KANI_FIELD(growth.audio_codebook_size),
          "codes of a codebook, for first_train");
  open(k, "init_audio_rows", KANI_FIELD(growth.init_audio_rows),
       "rows of new ids: mean+noise, mean, normal:DEVIATION; null: mean+noise, with parity mean");
  open(k, "alpha_init", KANI_FIELD(growth.alpha_init),
       "RoPE factors at the start; null: 1, with parity the middle of their range");
  numeric(k, "add_languages", KANI_FIELD(add_languages),
          "tags that the model learns, TAG or TAG=TOKEN; --add-language");
  other(k, "allow_unexpected", KANI_FIELD(allow_unexpected),
        "names of tensors of the base that may be left out, * for any text");
  numeric(k, "audio_table", KANI_FIELD(audio_table),
          "rows, or factorised: an audio id's row is a sum");
  numeric(k, "audio_levels", KANI_FIELD(audio_levels),
          "levels of the digits of a code, for audio_table factorised");
  numeric(k, "audio_softmax", KANI_FIELD(audio_softmax),
          "loss over all ids, or over those of the codebook that is due");
  numeric(k, "guided_attention_weight", KANI_FIELD(guide.weight),
          "penalty on attention that looks away from the text; 0: none");
  numeric(k, "guided_attention_steps", KANI_FIELD(guide.steps),
          "updates until the penalty is gone, along a line");
  numeric(k, "guided_attention_width", KANI_FIELD(guide.width),
          "how far beside the diagonal attention is free of the penalty");
  numeric(k, "code_noise_digit", KANI_FIELD(code_noise.digit),
          "share of the codes seen with one digit moved by one");
  numeric(k, "code_noise_random", KANI_FIELD(code_noise.random),
          "share of the codes seen as any code");
}

void add_machine_keys(Keys& k) {
  numeric(k, "bf16", KANI_FIELD(bf16), "factors of matrix products rounded to bf16");
  other(k, "gradient_checkpointing", KANI_FIELD(gradient_checkpointing),
        "compute layers again in the backward pass: less memory, same bits");
  numeric(k, "fp8", KANI_FIELD(fp8),
          "an experiment: products of the feed-forward layers in 8 bits");
  numeric(k, "weight_dtype", KANI_FIELD(weight_dtype),
          "type that large weights are kept in: f32, or bf16, rounded by chance, where memory is "
          "short");
  numeric(k, "rope_precision", KANI_FIELD(rope_precision),
          "type of RoPE's frequencies: f32, or bf16 to go on with a run whose model was bf16 as a "
          "whole");
  numeric(k, "grad_dtype", KANI_FIELD(grad_dtype),
          "type of gradients between processes: f32, bf16");
  other(k, "zero_stage", KANI_FIELD(optimizer.zero_stage),
        "1: processes share the moments, 0: each keeps all");
  other(k, "deterministic", KANI_FIELD(deterministic),
        "false: faster forms on GPUs, whose last bits vary");
  other(k, "device", KANI_FIELD(device), "auto, cpu, cuda, cuda:N");
  other(k, "threads", KANI_FIELD(threads), "threads of a process; 0: as many as LibTorch takes");
  other(k, "timeout_s", KANI_FIELD(timeout_s), "seconds to wait for other processes");
}

}  // namespace

const std::vector<ConfigKey<TrainConfig>>& train_keys() {
  static const Keys list = [] {
    Keys k;
    add_place_keys(k);
    add_sequence_keys(k);
    add_update_keys(k);
    add_batch_keys(k);
    add_report_keys(k);
    add_lora_keys(k);
    add_start_keys(k);
    add_machine_keys(k);
    return k;
  }();
  return list;
}

}  // namespace kani::train
