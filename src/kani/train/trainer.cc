// trainer.cc - see trainer.h; how a run begins: trainer_begin.cc.
#include "kani/train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <tuple>

#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/train/codebook_sums.h"
#include "kani/train/cuda_device.h"
#include "kani/train/due_loss.h"
#include "kani/train/lora.h"
#include "kani/train/ops.h"
#include "kani/train/run_health.h"

namespace kani::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kCodebookEvery = 10;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

at::Tensor targets_of(const PackedBatch& batch, const at::Tensor& like) {
  return at::tensor(at::IntArrayRef(batch.targets)).to(like.device());
}

}  // namespace

int64_t Trainer::rows_of_update() const {
  if (config_.packing == Packing::kNone)
    return config_.gradient_accumulation_steps * (config_.parity ? comm_->size() : 1);
  return std::max<int64_t>(1, config_.batch_tokens / config_.pack_length);
}

// New clips by language; of those that are replayed as many as make their share of the epoch, which
// becomes that much longer.
void Trainer::mix_clips() {
  std::map<std::string, uint32_t> counts;
  for (size_t i = 0; i < new_; ++i) ++counts[clips_->language(usable_[i])];
  const auto factors =
      language_factors(counts, config_.language_temperature,
                       TrainConfig::numbers_of(config_.language_weights, "language_weights"));
  const double share = config_.replay_share, fresh = static_cast<double>(new_);
  require(share == 0 || replay_clips() > 0, "no clip of replay_data fits pack_length ",
          config_.pack_length);
  for (size_t i = 0; i < usable_.size(); ++i) {
    const std::string& language = clips_->language(usable_[i]);
    factors_.push_back(i < new_
                           ? factors.at(language)
                           : share / (1 - share) * fresh / static_cast<double>(replay_clips()));
    language_shares_[language] += factors_.back() * (1 - share) / fresh;
  }
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
    for (const uint32_t i : repeated(factors_, config_.seed, number)) order.push_back(usable_[i]);
  }
  const auto size = static_cast<size_t>(config_.per_device_train_batch_size);
  if (config_.packing == Packing::kRows) {
    plan_ = pack_rows(order, lengths_, {.length = config_.pack_length}, config_.seed, number);
  } else if (config_.length_buckets > 0) {
    plan_ = bucket_batches(order, lengths_, size, static_cast<size_t>(config_.length_buckets),
                           config_.seed, number);
  } else {
    plan_ = cut_batches(order, size, config_.parity ? static_cast<size_t>(comm_->size()) : 1);
  }
  planned_epoch_ = epoch;
}

// `dropout`: the number from which it follows which clips lose their voice, and what adapters see.
PackedBatch Trainer::batch_of(const ClipSet& clips, const Row& row,
                              std::optional<uint64_t> dropout) const {
  PackedBatch batch;
  if (dropout)
    batch.noise = splitmix64(splitmix64(config_.seed + 3) ^ splitmix64(*dropout) ^ row.front());
  std::vector<TrainingClip> whole;
  for (const uint32_t index : row) whole.push_back(clips.clip(index));
  // Upstream's batches have a voice for each clip or none at all (training.md 6.1).
  const bool voices = !config_.parity || std::all_of(whole.begin(), whole.end(), [](const auto& c) {
    return !c.voice.empty();
  });
  for (size_t i = 0; i < row.size(); ++i) {
    const TrainingClip& clip = whole[i];
    const uint32_t index = row[i];
    bool voice = voices;
    if (dropout && config_.speaker_dropout > 0) {
      Random random(splitmix64(splitmix64(config_.seed + 2) ^ splitmix64(*dropout) ^ index));
      voice = voices && random.next_uniform() >= config_.speaker_dropout;
    }
    batch.add(layout_, config_.sequence, clips.ids(index, clip, layout_, config_.sequence),
              voice ? std::span<const float>(clip.voice) : std::span<const float>(), index);
  }
  return batch;
}

// `row`: the place in the update, so that the noise does not depend on who computes it.
void Trainer::add_noise(PackedBatch& batch, int64_t row) const {
  const uint64_t key =
      splitmix64(splitmix64(config_.seed + 8) ^ splitmix64(static_cast<uint64_t>(state_.update)) ^
                 (static_cast<uint64_t>(row) << 40));
  add_code_noise(config_.code_noise, layout_, levels_, key, batch);
}

LossRules Trainer::loss_rules(const PackedBatch& batch) const {
  LossRules rules{.label_smoothing = config_.label_smoothing, .z_loss = config_.z_loss};
  if (weights_->on())
    rules.weights = weights_->of(batch.targets).to(model_->parameters().begin()->second.device());
  return rules;
}

LossResult Trainer::loss_of(const PackedBatch& batch, const at::Tensor& hidden,
                            double scale) const {
  const at::Tensor seen = model_->for_products(hidden);
  if (config_.audio_softmax == "due")
    return due_cross_entropy(seen, model_->head(), batch.targets, scale, config_.loss_chunk,
                             layout_, loss_rules(batch));
  return cross_entropy(seen, model_->head(), targets_of(batch, hidden), scale, config_.loss_chunk,
                       model_->rules().table, loss_rules(batch));
}

std::vector<PackedBatch> Trainer::batches_of_update(int64_t end, UpdateReport& report) const {
  std::vector<PackedBatch> batches;
  std::string unreadable;
  for (int64_t r = state_.row + comm_->rank(); r < end && unreadable.empty(); r += comm_->size()) {
    try {
      PackedBatch& batch = batches.emplace_back(
          batch_of(*clips_, plan_[static_cast<size_t>(r)], static_cast<uint64_t>(state_.epoch)));
      add_noise(batch, r - state_.row);
    } catch (const Error& error) {
      unreadable = error.what();
    }
  }
  if (comm_->sum(int64_t{unreadable.empty() ? 0 : 1}) == 0) return batches;
  report.skip_reason = unreadable.empty() ? "another process cannot read a clip" : unreadable;
  return {};
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
  for (int64_t r = state_.row; r < end; ++r)
    report.documents += static_cast<int64_t>(plan_[static_cast<size_t>(r)].size());

  const std::vector<PackedBatch> batches = batches_of_update(end, report);
  int64_t labels = 0, spoken = 0;
  double squares = 0, weight = 0;
  for (const PackedBatch& batch : batches) {
    spoken += AttentionGuide::positions(batch.speech);
    report.elements += batch.elements();
    report.targets += batch.target_count;
    if (weights_->on()) weight += weights_->sum(batch.targets);
    labels += batch.labels;
    for (size_t d = 0; d + 1 < batch.starts.size(); ++d) {
      const auto length = static_cast<double>(batch.starts[d + 1] - batch.starts[d]);
      squares += length * length;
    }
  }
  report.data_seconds = seconds_since(start);
  report.elements = comm_->sum(report.elements);
  report.targets = comm_->sum(report.targets);
  // Upstream's ranks are averaged, each divides by its own labels unless it is told otherwise.
  labels = config_.average_tokens_across_devices ? comm_->sum(labels) : labels * comm_->size();
  report.mean_square_length =
      comm_->sum(squares) / static_cast<double>(std::max<int64_t>(1, report.elements));
  if (config_.packing == Packing::kRows)
    report.fill = static_cast<double>(report.elements) /
                  static_cast<double>((end - state_.row) * config_.pack_length);
  const double divisor = config_.parity   ? static_cast<double>(labels)
                         : weights_->on() ? comm_->sum(weight)
                                          : static_cast<double>(report.targets);
  // Weights may leave a batch nothing to learn (reliability.md T8).
  if (divisor == 0 && report.skip_reason.empty()) report.skip_reason = "none of its targets counts";
  const double guidance = config_.guide.weight_at(state_.update);
  if (guidance > 0) spoken = std::max<int64_t>(1, comm_->sum(spoken));
  double penalty = 0;
  const bool by_codebook = report.update % kCodebookEvery == 0;
  CodebookSums sums(layout_);
  for (const PackedBatch& batch : batches) {
    const auto forward = Clock::now();
    std::optional<AttentionGuide> guide;
    if (guidance > 0) guide.emplace(model_->config(), config_.guide.width, batch.speech);
    const at::Tensor hidden = model_->forward(batch, nullptr, guide ? &*guide : nullptr);
    const LossResult result = loss_of(batch, hidden, divisor == 0 ? 1 : 1 / divisor);
    at::Tensor loss = result.loss;
    if (guide && guide->penalty().defined()) {
      const at::Tensor mean = guide->penalty() / static_cast<double>(spoken);
      loss = loss + guidance * mean;
      penalty += mean.item<double>();
    }
    report.forward_seconds += seconds_since(forward);
    const auto backward = Clock::now();
    if (&batch == &batches.back()) exchange_->arm();
    loss.backward();
    report.backward_seconds += seconds_since(backward);
    report.loss += result.loss.item<double>();
    if (by_codebook) sums.add(batch, result.per_token);
  }
  report.exchange_seconds = exchange_->finish();
  report.loss = comm_->sum(report.loss);
  if (guidance > 0) report.guide = comm_->sum(penalty);
  if (by_codebook) report.codebook_loss = sums.means(*comm_);
  const auto update = Clock::now();
  report.grad_norm = optimizer_->gradient_norm();
  judge(report, state_, {config_.optimizer.max_grad_norm, /*watch_the_norm=*/!config_.parity});
  optimizer_->step(state_.update, !report.skipped);
  report.optimizer_seconds = seconds_since(update);
  remember(report, state_);
  if (report.skipped) {
    std::string names;
    for (int64_t r = state_.row + comm_->rank(); r < end; r += comm_->size()) {
      for (const uint32_t clip : plan_[static_cast<size_t>(r)]) {
        report.clips.push_back(clips_->name(clip));
        names += " " + report.clips.back();
      }
    }
    log_warning("train", "update ", report.update, " is skipped: ", report.skip_reason,
                "; clips:", names);
  } else if (average_) {
    average_->update(/*follows=*/state_.update < config_.optimizer.warmup_steps);
  }
  state_.elements += report.elements;
  ++state_.update;
  if (!config_.repeat_first_update) state_.row = end;
  if (state_.row == rows) {
    state_.row = 0;
    ++state_.epoch;
  }
  report.epoch = static_cast<double>(state_.epoch) +
                 static_cast<double>(state_.row) / static_cast<double>(rows);
  report.seconds = seconds_since(start);
  report.device_peak_bytes = gpu_memory_peak(model_->device());
  if (temperature_) report.device_temperature = temperature_->degrees();
  return report;
}

void Trainer::require_health(const UpdateReport& last) const {
  if (state_.skipped_in_row < kMostSkipped) return;
  const auto good = find_good_checkpoint(config_.output_dir);
  throw Error(ErrorCode::kBadInput, kMostSkipped,
              " updates in a row were skipped, the last because ", last.skip_reason,
              "; the last good checkpoint is ", good ? good->string() : std::string("none"));
}

EvalRules Trainer::eval_rules() const {
  return {.sequence = config_.sequence,
          .loss_chunk = config_.loss_chunk,
          .due = config_.audio_softmax == "due"};
}

ParameterMap Trainer::ordinary_parameters(bool averaged) const {
  ParameterMap out = model_->parameters();
  if (averaged && average_) {
    for (const auto& [name, mean] : average_->whole()) out[name] = mean;
  }
  return without_factors(model_->rules().table, out);
}

std::optional<EvalReport> Trainer::evaluate(bool averaged, std::function<bool()> stop) {
  if (!valid_) return std::nullopt;
  ComputeRules rules = model_->rules();
  rules.table = {};
  const Lfm2Module shown(model_->config(), ordinary_parameters(averaged), rules);
  EvalRules measured = eval_rules();
  measured.stop = std::move(stop);
  EvalReport report = evaluate_clips(shown, *valid_, layout_, measured, *comm_);
  if (!report.complete) return std::nullopt;
  report.update = state_.update;
  return report;
}

bool Trainer::is_best(const EvalReport& report) const {
  return report.loss < state_.best_loss.value_or(std::numeric_limits<double>::infinity());
}

Snapshot Trainer::snapshot() const {
  return {.model = model_->config(),
          .parameters = model_->parameters(),
          .moments = owned_moments(*optimizer_),
          .average = average_ ? average_->owned() : ParameterMap(),
          .table = model_->rules().table,
          .config = config_,
          .state = state_,
          .tokenizer_json = tokenizer_json_};
}

void Trainer::save() {
  begin_save();
  finish_save();
}

void Trainer::begin_save(std::optional<double> best, std::function<void()> first) {
  finish_save();
  best_before_ = {state_.best_loss, state_.best_update};
  if (best) {
    state_.best_loss = best;
    state_.best_update = state_.update;
  }
  background_->begin(config_.output_dir, config_.model_id, snapshot(), std::move(first));
}

void Trainer::finish_save() {
  try {
    background_->wait();
  } catch (...) {
    std::tie(state_.best_loss, state_.best_update) = best_before_;
    throw;
  }
}

void Trainer::export_model(const std::filesystem::path& folder, SavedType type, bool averaged) {
  const ParameterMap parameters = ordinary_parameters(averaged);
  if (!leads()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  save_parameters(folder / "model.safetensors",
                  merged(parameters, config_.lora.scale(), config_.lora.token_ids()), type);
  write_file(folder / "config.json", config_text(model_->config(), type));
  copy_companions(config_.model_id, folder, tokenizer_json_);
}

}  // namespace kani::train
