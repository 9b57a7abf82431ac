// trainer_begin.cc - how a run of trainer.h begins: model, data, what the processes must agree on,
// and where it goes on.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"
#include "kani/train/cuda_device.h"
#include "kani/train/lora.h"
#include "kani/train/program_version.h"
#include "kani/train/resume_check.h"
#include "kani/train/row_names.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/start.h"
#include "kani/train/trainer.h"
#include "kani/train/upstream_keys.h"

namespace kani::train {
namespace {

std::string text_hash(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text)));
}

std::string weights_hash(const ParameterMap& parameters) {
  Sha256 hash;
  for (const auto& [name, tensor] : parameters) {
    const at::Tensor flat = tensor.detach().cpu().contiguous();
    hash.update(std::as_bytes(std::span(name)));
    hash.update({static_cast<const std::byte*>(flat.const_data_ptr()), flat.nbytes()});
  }
  return hex_text(hash.finish());
}

}  // namespace

Trainer::Trainer(TrainConfig config, bool resume, bool force, const Launch& launch)
    : config_(std::move(config)) {
  config_.validate();
  if (!resume) require_no_steps(config_.output_dir);
  check_base(config_);
  const at::Device device = choose_device(config_.device, launch);
  comm_ = std::make_unique<Comm>(launch, std::chrono::seconds(config_.timeout_s), device);
  if (config_.threads > 0) at::set_num_threads(config_.threads);
  // Choosing the device has asked for them.
  if (!config_.deterministic) at::globalContext().setDeterministicAlgorithms(false, false);
  if (config_.parity) take_upstream_rules(config_);
  UpstreamProgress upstream;
  if (config_.from_upstream) {
    upstream = read_upstream_progress(config_.model_id);
    if (config_.max_steps == 0) config_.max_steps = upstream.max_steps;  // its schedule's end
  }
  std::vector<LanguageToken> tokens;
  model_ = std::make_unique<Lfm2Module>(start_model(config_, &tokens));
  model_->move_to(device);
  if (config_.weight_dtype == "bf16") model_->narrow();
  config_.growth = growth_of(config_, model_->config().alpha_min, model_->config().alpha_max);
  config_.growth.audio_step = config_.sequence.audio_step = model_->config().audio_step;
  layout_ = TokenLayout::of(model_->config());
  tokenizer_json_ =
      named_tokenizer(config_.model_id, model_->config(), tokens, config_.growth.first_train);
  open_clips(tokens);
  weights_ = std::make_unique<LossWeights>(
      TrainConfig::numbers_of(config_.loss_weights, "loss_weights"), layout_);
  levels_ = config_.levels();
  if (config_.code_noise.on()) TableFactors::of(model_->config(), levels_);
  if (config_.guide.weight > 0) AttentionGuide(model_->config(), config_.guide.width, {});

  // Epochs differ by a row or so when rows are packed: the first one speaks for all.
  plan_epoch(0);
  const int64_t per_epoch =
      (static_cast<int64_t>(plan_.size()) + rows_of_update() - 1) / rows_of_update();
  total_updates_ =
      config_.max_steps > 0
          ? config_.max_steps
          : std::max<int64_t>(1, static_cast<int64_t>(std::ceil(config_.num_train_epochs *
                                                                static_cast<double>(per_epoch))));
  make_optimizer();
  background_ = std::make_unique<BackgroundSave>(*comm_);
  if (device.is_cuda()) temperature_ = std::make_unique<GpuTemperature>(gpu_bus(device));
  state_.data_hash = data_hash();
  state_.valid_hash = valid_hash();
  state_.config_hash = text_hash(identity_yaml(config_, comm_->size()));
  if (has_adapters(model_->parameters())) state_.base_hash = base_hash(model_->parameters());
  state_.program = program_version();
  comm_->agree("program", state_.program);
  comm_->agree("data", state_.data_hash);
  comm_->agree("validation data", state_.valid_hash);
  comm_->agree("settings", state_.config_hash);
  if (resume) {
    resume_newest(force, launch.elastic);
  } else if (config_.from_upstream) {
    go_on_from(upstream);
  }
  if (comm_->size() > 1) comm_->agree("weights", weights_hash(model_->parameters()));
}

Trainer::~Trainer() = default;

void Trainer::open_clips(const std::vector<LanguageToken>& tokens) {
  std::vector<std::string> places = config_.data;
  places.insert(places.end(), config_.replay_data.begin(), config_.replay_data.end());
  ClipSetRules rules{.split = Split::kTrain, .bad_share = config_.bad_shard_share};
  clips_ = std::make_unique<ClipSet>(places, layout_, tokens, rules);
  check_languages(config_, model_->config(), *clips_, tokens);
  check_tokenizer(config_, *clips_);
  rules.split = Split::kValid;
  if (!config_.valid_data.empty())
    valid_ = std::make_unique<ClipSet>(config_.valid_data, layout_, tokens, rules);
  if (config_.valid_fraction > 0) {
    valid_ = std::make_unique<ClipSet>(*clips_);
    clips_->keep(Split::kTrain, config_.valid_fraction, config_.data.size());
    valid_->keep(Split::kValid, config_.valid_fraction, config_.data.size());
    require(valid_->size() > 0, "valid_fraction ", config_.valid_fraction, " of ", clips_->size(),
            " clips leaves none to measure on");
  }
  check_sets();

  for (size_t i = 0; i < clips_->size(); ++i) {
    lengths_.push_back(clips_->length(i));
    if (config_.packing == Packing::kNone || lengths_.back() <= config_.pack_length)
      usable_.push_back(static_cast<uint32_t>(i));
  }
  left_out_ = clips_->size() - usable_.size();
  if (left_out_ > 0)
    log_warning("train", left_out_, " clips are longer than pack_length and are left out");
  const size_t first_replayed = clips_->clips_of_first(config_.data.size());
  new_ = static_cast<size_t>(std::lower_bound(usable_.begin(), usable_.end(), first_replayed) -
                             usable_.begin());
  require(new_ > 0, "no clip fits pack_length ", config_.pack_length);
  mix_clips();
}

// What is measured on must be made as what is trained on.
void Trainer::check_sets() const {
  if (valid_ && !config_.valid_data.empty()) check_tokenizer(config_, *valid_);
  for (const ClipSet* set : {clips_.get(), valid_.get()}) {
    const int voice = set == nullptr ? 0 : set->voice_dim(), own = model_->config().speaker_emb_dim;
    if (voice != 0 && voice != own)
      throw Error(ErrorCode::kBadInput, set->name(0), ": its set has voices of ", voice,
                  " numbers, the model's have ", own);
  }
}

// A clip that is replayed now and was new before, or the other way round, is other data.
std::string Trainer::data_hash() const {
  std::string marks;
  if (!config_.replay_data.empty())
    marks += concat(" first ", clips_->clips_of_first(config_.data.size()));
  if (config_.valid_fraction > 0) marks += " by recording";
  return marks.empty() ? clips_->hash() : text_hash(clips_->hash() + marks);
}

std::string Trainer::valid_hash() const {
  return valid_ ? text_hash(concat(valid_->hash(), " ", valid_->size())) : "";
}

namespace {

// A run that ends before it has learnt anything looks like any other.
void warn_of_few_updates(const TrainConfig& config, int64_t total) {
  constexpr int64_t kFew = 10;
  const int64_t warm = config.optimizer.warmup_steps;
  const std::string updates = concat(total, total == 1 ? " update" : " updates");
  if (warm >= total && config.optimizer.schedule != "constant")
    log_warning("train", "warmup_steps is ", warm, " and the run has ", updates,
                ": it ends while the learning rate still rises; set warmup_steps to ", total / 10,
                " for example");
  if (config.max_steps == 0 && total < kFew)
    log_warning("train", "num_train_epochs ", config.num_train_epochs, " of these clips make ",
                updates,
                ", too few to learn much: --steps says how many there are to be, a smaller ",
                config.packing == Packing::kNone ? "gradient_accumulation_steps" : "batch_tokens",
                " makes more of them");
}

}  // namespace

void Trainer::make_optimizer() {
  OptimizerSettings settings = config_.optimizer;
  settings.total_steps = total_updates_;
  settings.rounding_seed = splitmix64(config_.seed + 9);
  if (leads()) warn_of_few_updates(config_, total_updates_);
  settings.name_factors = TrainConfig::numbers_of(config_.group_lr, "group_lr");
  optimizer_ = std::make_unique<AdamW>(settings, model_->parameters(), comm_.get());
  exchange_ = std::make_unique<GradientExchange>(
      model_->parameters(), *comm_, config_.grad_dtype == "bf16" ? at::kBFloat16 : at::kFloat);
  if (config_.ema_decay > 0)
    average_ = std::make_unique<WeightAverage>(model_->parameters(), *optimizer_, comm_.get(),
                                               config_.ema_decay);
}

void Trainer::resume_newest(bool force, bool elastic) {
  const auto folder = find_checkpoint(config_.output_dir);
  if (!folder)
    throw Error(ErrorCode::kNotFound, "no whole checkpoint in ", config_.output_dir)
        .with_hint("begin anew without --resume, in another --out or without the folders step-…");
  const std::string go_on =
      concat("settings that were flags are taken from the run itself with --config ",
             (*folder / "config.resolved.yaml").string(), "; --force goes on with others");
  const std::string model = changed_model(*folder, config_, model_->config());
  if (!model.empty() && !force) {
    throw Error(ErrorCode::kBadInput, *folder, " was made with another base: ", model)
        .with_hint(go_on);
  }
  if (const int before = checkpoint_processes(*folder);
      before != processes() && !elastic && !force && !config_.parity) {
    throw Error(ErrorCode::kBadInput, *folder, " was written by ", before,
                before == 1 ? " process" : " processes", ", now there ",
                processes() == 1 ? "is " : "are ", processes())
        .with_hint(
            "--elastic goes on with them: the clips come in the same order, sums differ by "
            "rounding");
  }
  RunState found = load_checkpoint(*folder, *model_, *optimizer_);
  if (average_) average_->restore(*folder);
  for (const auto& [what, theirs, ours] :
       {std::tuple{"data", &found.data_hash, &state_.data_hash},
        std::tuple{"base", &found.base_hash, &state_.base_hash},
        std::tuple{"configuration", &found.config_hash, &state_.config_hash}}) {
    if (*theirs == *ours) continue;
    std::string changes;
    if (ours == &state_.config_hash) {
      changes = changed_settings(*folder, config_, comm_->size());
      if (changes.empty()) continue;  // only written down in another way
      changes = ": " + changes;
    }
    if (!force) {
      throw Error(ErrorCode::kBadInput, *folder, " was made with another ", what, changes)
          .with_hint(go_on);
    }
    log_warning("train", *folder, " was made with another ", what, changes);
  }
  if (found.program != state_.program)
    log_warning("train", *folder, " was made by kani-train ",
                found.program.empty() ? "of an unknown version" : found.program, ", this is ",
                state_.program, ": the run may not go on bit for bit");
  found.program = state_.program;
  if (found.best_loss && !found.valid_hash.empty() && found.valid_hash != state_.valid_hash) {
    log_warning("train", *folder, " was measured on other clips: its least loss counts no more");
    found.best_loss.reset();
  }
  found.data_hash = state_.data_hash;
  found.valid_hash = state_.valid_hash;
  found.base_hash = state_.base_hash;
  found.config_hash = state_.config_hash;
  state_ = std::move(found);
  comm_->agree("checkpoints", folder->filename().string());
}

// Weights are there already.  With upstream's rules the number of the update says which clips come
// next; else as much of the epoch is done as it was there, since its order was another.
void Trainer::go_on_from(const UpstreamProgress& progress) {
  load_upstream_moments(config_.model_id, model_->config(), model_->parameters(), *optimizer_);
  if (progress.update >= total_updates_) {
    throw Error(ErrorCode::kBadInput, config_.model_id, " has done ", progress.update,
                " updates, this run would end after ", total_updates_,
                "; --steps says how many there are in all");
  }
  state_.update = progress.update;
  if (config_.parity) {
    const auto rows = static_cast<int64_t>(plan_.size());
    const int64_t per_epoch = (rows + rows_of_update() - 1) / rows_of_update();
    state_.epoch = progress.update / per_epoch;
    state_.row = progress.update % per_epoch * rows_of_update();
    return;
  }
  state_.epoch = static_cast<int64_t>(progress.epoch);
  plan_epoch(state_.epoch);
  const double done = progress.epoch - static_cast<double>(state_.epoch);
  state_.row = static_cast<int64_t>(done * static_cast<double>(plan_.size()));
}

}  // namespace kani::train
