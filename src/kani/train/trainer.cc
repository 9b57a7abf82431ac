// trainer.cc - see trainer.h.
#include "kani/train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"
#include "kani/train/ops.h"
#include "kani/train/start.h"

namespace kani::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostSkipped = 20;  // updates in a row that may be left out
constexpr size_t kNormsKept = 128;    // of which the median is taken
constexpr double kNormLimit = 10;     // times the median
constexpr size_t kNormsNeeded = 16;   // before the median says anything

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

at::Tensor targets_of(const PackedBatch& batch, const at::Tensor& like) {
  return at::tensor(at::IntArrayRef(batch.targets)).to(like.device());
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string text_hash(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

Trainer::Trainer(TrainConfig config, bool resume, bool force, const Launch& launch)
    : config_(std::move(config)) {
  config_.validate();
  comm_ = std::make_unique<Comm>(launch, std::chrono::seconds(config_.timeout_s));
  if (config_.threads > 0) at::set_num_threads(config_.threads);
  if (config_.parity) {
    config_.packing = Packing::kNone;
    config_.sequence.drop_repeated_frames = true;
    config_.optimizer.warm_from_zero = true;
  }
  model_ = std::make_unique<Lfm2Module>(start_model(config_));
  layout_ = TokenLayout::of(model_->config());
  clips_ = std::make_unique<ClipSet>(config_.data, layout_);
  check_languages(config_, model_->config(), *clips_);
  if (!config_.valid_data.empty()) valid_ = std::make_unique<ClipSet>(config_.valid_data, layout_);

  for (size_t i = 0; i < clips_->size(); ++i) {
    lengths_.push_back(clips_->length(i));
    if (config_.packing == Packing::kNone || lengths_.back() <= config_.pack_length)
      usable_.push_back(static_cast<uint32_t>(i));
  }
  left_out_ = clips_->size() - usable_.size();
  if (left_out_ > 0)
    log_warning("train", left_out_, " clips are longer than pack_length and are left out");
  require(!usable_.empty(), "no clip fits pack_length ", config_.pack_length);

  // Epochs differ by a row or so when rows are packed: the first one speaks for all.
  plan_epoch(0);
  const int64_t per_epoch =
      (static_cast<int64_t>(plan_.size()) + rows_of_update() - 1) / rows_of_update();
  total_updates_ =
      config_.max_steps > 0
          ? config_.max_steps
          : std::max<int64_t>(1, static_cast<int64_t>(std::ceil(config_.num_train_epochs *
                                                                static_cast<double>(per_epoch))));
  OptimizerSettings settings = config_.optimizer;
  settings.total_steps = total_updates_;
  optimizer_ = std::make_unique<AdamW>(settings, model_->parameters(), comm_.get());
  if (config_.ema_decay > 0) {
    for (const auto& [name, parameter] : model_->parameters()) {
      if (parameter.requires_grad()) average_[name] = parameter.detach().clone();
    }
  }
  state_.data_hash = clips_->hash();
  state_.config_hash = text_hash(numeric_yaml(config_));
  if (has_adapters(model_->parameters())) state_.base_hash = base_hash(model_->parameters());
  comm_->agree("data", state_.data_hash);
  comm_->agree("settings", state_.config_hash);
  if (!resume) return;
  const auto folder = find_checkpoint(config_.output_dir);
  if (!folder) throw Error(ErrorCode::kNotFound, "no whole checkpoint in ", config_.output_dir);
  RunState found =
      load_checkpoint(*folder, *model_, *optimizer_, average_.empty() ? nullptr : &average_);
  for (const auto& [what, theirs, ours] :
       {std::tuple{"data", &found.data_hash, &state_.data_hash},
        std::tuple{"base", &found.base_hash, &state_.base_hash},
        std::tuple{"configuration", &found.config_hash, &state_.config_hash}}) {
    if (*theirs == *ours) continue;
    if (!force) {
      throw Error(ErrorCode::kBadInput, *folder, " was made with another ", what,
                  "; --force goes on all the same");
    }
    log_warning("train", *folder, " was made with another ", what);
  }
  found.data_hash = state_.data_hash;
  found.base_hash = state_.base_hash;
  found.config_hash = state_.config_hash;
  state_ = std::move(found);
  comm_->agree("checkpoints", folder->filename().string());
}

Trainer::~Trainer() = default;

int64_t Trainer::rows_of_update() const {
  if (config_.packing == Packing::kNone) return config_.gradient_accumulation_steps;
  return std::max<int64_t>(1, config_.batch_tokens / config_.pack_length);
}

void Trainer::plan_epoch(int64_t epoch) {
  if (planned_epoch_ == epoch) return;
  const auto number = static_cast<uint64_t>(epoch);
  std::vector<uint32_t> order;
  if (config_.parity) {
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(config_.seed + number);
    const at::Tensor permutation = at::randperm(static_cast<int64_t>(usable_.size()), generator);
    for (int64_t i = 0; i < permutation.size(0); ++i)
      order.push_back(usable_[static_cast<size_t>(permutation[i].item<int64_t>())]);
  } else {
    for (const uint32_t i : shuffled(static_cast<uint32_t>(usable_.size()), config_.seed, number))
      order.push_back(usable_[i]);
  }
  plan_ = config_.packing == Packing::kNone
              ? cut_batches(order, static_cast<size_t>(config_.per_device_train_batch_size))
              : pack_rows(order, lengths_, {.length = config_.pack_length}, config_.seed, number);
  planned_epoch_ = epoch;
}

// `dropout`: the number from which it follows which clips lose their voice, and what adapters see.
PackedBatch Trainer::batch_of(const ClipSet& clips, const Row& row,
                              std::optional<uint64_t> dropout) const {
  PackedBatch batch;
  if (dropout)
    batch.noise = splitmix64(splitmix64(config_.seed + 3) ^ splitmix64(*dropout) ^ row.front());
  for (const uint32_t index : row) {
    const TrainingClip clip = clips.clip(index);
    bool voice = true;
    if (dropout && config_.speaker_dropout > 0) {
      Random random(splitmix64(splitmix64(config_.seed + 2) ^ splitmix64(*dropout) ^ index));
      voice = random.next_uniform() >= config_.speaker_dropout;
    }
    batch.add(layout_, config_.sequence, clip_ids(layout_, clip, config_.sequence),
              voice ? std::span<const float>(clip.voice) : std::span<const float>(), index);
  }
  return batch;
}

UpdateReport Trainer::step() {
  const auto start = Clock::now();
  plan_epoch(state_.epoch);
  const auto rows = static_cast<int64_t>(plan_.size());
  const int64_t end = std::min(rows, state_.row + rows_of_update());
  UpdateReport report;
  report.update = state_.update + 1;
  report.total = total_updates_;
  report.learning_rate = optimizer_->learning_rate(state_.update);

  std::vector<PackedBatch> batches;
  int64_t labels = 0;
  for (int64_t r = state_.row + comm_->rank(); r < end; r += comm_->size()) {
    batches.push_back(
        batch_of(*clips_, plan_[static_cast<size_t>(r)], static_cast<uint64_t>(state_.epoch)));
    report.elements += batches.back().elements();
    report.targets += batches.back().target_count;
    labels += batches.back().labels;
  }
  report.data_seconds = seconds_since(start);
  report.elements = comm_->sum(report.elements);
  report.targets = comm_->sum(report.targets);
  labels = comm_->sum(labels);
  const double divisor = static_cast<double>(config_.parity ? labels : report.targets);
  for (const PackedBatch& batch : batches) {
    const at::Tensor hidden = model_->forward(batch);
    const LossResult result =
        cross_entropy(model_->for_products(hidden), model_->head(), targets_of(batch, hidden),
                      1 / divisor, config_.loss_chunk);
    result.loss.backward();
    report.loss += result.loss.item<double>();
  }
  report.loss = comm_->sum(report.loss);
  exchange_gradients();
  report.grad_norm = optimizer_->gradient_norm();
  if (!std::isfinite(report.loss)) {
    report.skip_reason = "the loss is not finite";
  } else if (!std::isfinite(report.grad_norm)) {
    report.skip_reason = "a gradient is not finite";
  } else if (!config_.parity && state_.recent_norms.size() >= kNormsNeeded &&
             report.grad_norm > kNormLimit * median(state_.recent_norms)) {
    report.skip_reason = concat("the gradient's norm is ", report.grad_norm, ", the median is ",
                                median(state_.recent_norms));
  }
  report.skipped = !report.skip_reason.empty();
  optimizer_->step(state_.update, !report.skipped);
  if (report.skipped) {
    ++state_.skipped;
    ++state_.skipped_in_row;
    std::string names;
    for (const PackedBatch& batch : batches) {
      for (const int64_t row : batch.rows) names += " " + clips_->name(static_cast<size_t>(row));
    }
    log_warning("train", "update ", report.update, " is skipped: ", report.skip_reason,
                "; clips:", names);
  } else {
    state_.skipped_in_row = 0;
    state_.recent_norms.push_back(report.grad_norm);
    if (state_.recent_norms.size() > kNormsKept)
      state_.recent_norms.erase(state_.recent_norms.begin());
    update_average();
  }
  state_.elements += report.elements;
  ++state_.update;
  state_.row = end;
  if (end == rows) {
    state_.row = 0;
    ++state_.epoch;
  }
  report.epoch = static_cast<double>(state_.epoch) +
                 static_cast<double>(state_.row) / static_cast<double>(rows);
  report.seconds = seconds_since(start);
  if (state_.skipped_in_row >= kMostSkipped) {
    const auto good = find_checkpoint(config_.output_dir);
    throw Error(ErrorCode::kBadInput, kMostSkipped,
                " updates in a row were skipped, the last because ", report.skip_reason,
                "; the last good checkpoint is ", good ? good->string() : std::string("none"));
  }
  return report;
}

void Trainer::exchange_gradients() {
  if (comm_->size() == 1) return;
  std::vector<at::Tensor> grads;
  for (auto& [name, parameter] : model_->parameters()) {
    if (!parameter.requires_grad()) continue;
    // A process without a row in a short update has none.
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter.detach());
    grads.push_back(parameter.grad());
  }
  comm_->sum(grads);
}

void Trainer::update_average() {
  if (average_.empty() || state_.update < config_.optimizer.warmup_steps) {
    for (auto& [name, mean] : average_) mean.copy_(model_->parameter(name).detach());
    return;
  }
  at::NoGradGuard no_grad;
  for (auto& [name, mean] : average_)
    mean.lerp_(model_->parameter(name).detach(), 1 - config_.ema_decay);
}

ParameterMap Trainer::averaged_parameters() const {
  ParameterMap out = model_->parameters();
  for (const auto& [name, mean] : average_) out[name] = mean;
  return out;
}

std::optional<EvalReport> Trainer::evaluate(bool averaged) {
  if (!valid_) return std::nullopt;
  at::NoGradGuard no_grad;
  std::unique_ptr<Lfm2Module> mean;
  if (averaged && !average_.empty())
    mean = std::make_unique<Lfm2Module>(model_->config(), averaged_parameters(), model_->rules());
  const Lfm2Module& model = mean ? *mean : *model_;
  EvalReport report;
  report.update = state_.update;
  const auto codebooks = static_cast<size_t>(layout_.codebooks);
  std::vector<double> sums(codebooks + 1);
  std::vector<int64_t> counts(codebooks + 1);
  std::map<std::string, std::pair<double, int64_t>> languages;
  double total = 0;
  for (size_t i = 0; i < valid_->size(); ++i) {
    const PackedBatch batch = batch_of(*valid_, {static_cast<uint32_t>(i)}, std::nullopt);
    const at::Tensor hidden = model.forward(batch);
    const at::Tensor losses = cross_entropy(model.for_products(hidden), model.head(),
                                            targets_of(batch, hidden), 1, config_.loss_chunk)
                                  .per_token.cpu();
    const float* loss = losses.const_data_ptr<float>();
    for (size_t n = 0; n < batch.targets.size(); ++n) {
      const int64_t target = batch.targets[n];
      if (target == kNoTarget) continue;
      const auto value = static_cast<double>(loss[n]);
      total += value;
      ++report.targets;
      auto& [sum, count] = languages[valid_->language(i)];
      sum += value;
      ++count;
      // Control ids are in neither, as upstream counts.
      size_t kind = codebooks + 1;
      if (target < layout_.start_of_speech) kind = codebooks;
      if (layout_.is_audio(static_cast<int32_t>(target)))
        kind = static_cast<size_t>((target - layout_.audio_start) / layout_.codebook_size);
      if (kind > codebooks) continue;
      sums[kind] += value;
      ++counts[kind];
    }
  }
  const auto mean_of = [](double sum, int64_t count) {
    return count == 0 ? 0.0 : sum / static_cast<double>(count);
  };
  report.loss = mean_of(total, report.targets);
  for (size_t k = 0; k < codebooks; ++k)
    report.codebook_loss.push_back(mean_of(sums[k], counts[k]));
  report.text_loss = mean_of(sums[codebooks], counts[codebooks]);
  for (const auto& [language, pair] : languages)
    report.language_loss[language] = mean_of(pair.first, pair.second);
  return report;
}

void Trainer::save() {
  save_checkpoint(config_.output_dir, config_.model_id,
                  {.model = &model_->config(),
                   .parameters = &model_->parameters(),
                   .optimizer = optimizer_.get(),
                   .average = average_.empty() ? nullptr : &average_,
                   .config = &config_,
                   .state = state_},
                  *comm_);
}

void Trainer::export_model(const std::filesystem::path& folder, SavedType type, bool averaged) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  const bool mean = averaged && !average_.empty();
  save_parameters(folder / "model.safetensors",
                  merged(mean ? averaged_parameters() : model_->parameters(), config_.lora.scale()),
                  type);
  write_file(folder / "config.json", config_text(model_->config(), type));
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "generation_config.json"}) {
    const auto from = std::filesystem::path(config_.model_id) / name;
    if (std::filesystem::exists(from))
      write_file(folder / name, read_file(from, uint64_t{1} << 30));
  }
}

}  // namespace kani::train
