// trainer.h - a training run: plan, micro-batches, update, health, checkpoints, reports.
// Everything that decides the numbers is a function of the configuration and the number of the
// update, so that a run that was killed goes on bit for bit.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "kani/train/background_save.h"
#include "kani/train/checkpoint.h"
#include "kani/train/clip_set.h"
#include "kani/train/comm.h"
#include "kani/train/evaluation.h"
#include "kani/train/gpu_temperature.h"
#include "kani/train/gradient_exchange.h"
#include "kani/train/loss_weights.h"
#include "kani/train/ops.h"
#include "kani/train/order.h"
#include "kani/train/update_report.h"
#include "kani/train/upstream_checkpoint.h"
#include "kani/train/weight_average.h"

namespace kani::train {

/// One thread at a time.
class Trainer {
 public:
  /// Loads model, data, and with `resume` the newest whole checkpoint of config.output_dir.  A
  /// checkpoint of other data or another configuration is refused unless `force`, and one of
  /// another number of processes unless `launch` is elastic or `force` is given.  Of several
  /// processes (`launch`) each computes its share of an update's rows; all end with the same
  /// weights.  Without `resume`, config.from_upstream goes on where upstream's checkpoint ended.
  /// Throws Error.
  Trainer(TrainConfig config, bool resume, bool force = false, const Launch& launch = {});
  ~Trainer();

  int64_t total_updates() const { return total_updates_; }
  /// Alone, or the first of several: the one that logs.
  bool leads() const { return comm_->rank() == 0; }
  int rank() const { return comm_->rank(); }
  int processes() const { return comm_->size(); }
  /// True on all processes if it is on any: a signal that one of them got.
  bool anywhere(bool here) { return comm_->sum(static_cast<int64_t>(here ? 1 : 0)) > 0; }
  const RunState& state() const { return state_; }
  const TrainConfig& config() const { return config_; }
  Lfm2Module& model() { return *model_; }
  /// Rows of the head that the loss of a code is over, on average.
  int64_t loss_rows() const {
    return config_.audio_softmax == "due" ? layout_.codebook_size : model_->head_rows();
  }
  const ClipSet& clips() const { return *clips_; }
  size_t clips_left_out() const { return left_out_; }
  /// How many clips there are to choose the replayed ones from.
  size_t replay_clips() const { return usable_.size() - new_; }
  /// What part of an epoch's clips each language has.
  const std::map<std::string, double>& language_shares() const { return language_shares_; }
  bool done() const { return state_.update >= total_updates_; }

  /// One update; it is left out if one of its clips cannot be read.
  UpdateReport step();
  /// To be called behind step(), when its report is kept.  Throws Error(kBadInput) after twenty
  /// skipped updates in a row, with the last good checkpoint's name.
  void require_health(const UpdateReport& last) const;
  /// On the validation set, with the average of the weights if there is one and `averaged`.  All
  /// processes must call.  Nothing if there is no such set, or if `stop`, asked every few clips, is
  /// true on one of them.
  std::optional<EvalReport> evaluate(bool averaged = false, std::function<bool()> stop = {});
  /// Waits for a checkpoint that is being written, and saves.
  void save();
  /// Begins to save what is there now, after the one before, and lets the run go on: a thread
  /// writes a copy.  With `best` the validation loss is the least so far, and the file `best` will
  /// name this checkpoint.  The thread calls `first` before it writes.
  void begin_save(std::optional<double> best = {}, std::function<void()> first = {});
  /// Whether `report` has the least loss so far.
  bool is_best(const EvalReport& report) const;
  /// A save was begun and not waited for; and waiting would take no time.
  bool save_ended() const { return background_->ended(); }
  bool save_pending() const { return background_->pending(); }
  /// Waits for it.  Throws what it failed with; what was to be the best is then not.
  void finish_save();
  /// The weights (or their average) as a folder that inference loads.  The first process writes;
  /// with `averaged` all must call.
  void export_model(const std::filesystem::path& folder, SavedType type, bool averaged);

 private:
  void open_clips(const std::vector<LanguageToken>& tokens);
  void make_optimizer();
  void resume_newest(bool force, bool elastic);
  void go_on_from(const UpstreamProgress& progress);
  void mix_clips();
  void plan_epoch(int64_t epoch);
  void check_sets() const;
  std::string data_hash() const;
  std::string valid_hash() const;
  int64_t rows_of_update() const;
  // This process's rows of the update, up to row `end` of the plan.
  std::vector<PackedBatch> batches_of_update(int64_t end, UpdateReport& report) const;
  PackedBatch batch_of(const ClipSet& clips, const Row& row, std::optional<uint64_t> dropout) const;
  void add_noise(PackedBatch& batch, int64_t row) const;
  LossRules loss_rules(const PackedBatch& batch) const;
  LossResult loss_of(const PackedBatch& batch, const at::Tensor& hidden, double scale) const;
  EvalRules eval_rules() const;
  // The weights, or their average, as files have them.
  ParameterMap ordinary_parameters(bool averaged) const;
  Snapshot snapshot() const;

  TrainConfig config_;
  std::unique_ptr<Comm> comm_;
  std::unique_ptr<Lfm2Module> model_;
  TokenLayout layout_;
  std::string tokenizer_json_;  // with names for new rows; empty: the base's stays
  std::unique_ptr<ClipSet> clips_, valid_;
  std::vector<int64_t> lengths_;  // of clips_
  std::vector<uint32_t> usable_;  // clips that fit a row
  size_t new_ = 0;                // of usable_: those that are no replay come first
  std::vector<double> factors_;   // how often each of them is seen in an epoch
  std::map<std::string, double> language_shares_;
  size_t left_out_ = 0;
  std::vector<int64_t> levels_;  // of a code's digits
  std::unique_ptr<LossWeights> weights_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<GradientExchange> exchange_;
  std::unique_ptr<WeightAverage> average_;  // null: none
  std::unique_ptr<BackgroundSave> background_;
  std::unique_ptr<GpuTemperature> temperature_;            // null on CPUs
  std::pair<std::optional<double>, int64_t> best_before_;  // the save that is being written
  RunState state_;
  int64_t total_updates_ = 0;
  int64_t planned_epoch_ = -1;
  std::vector<Row> plan_;
};

}  // namespace kani::train
