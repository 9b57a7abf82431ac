// codec_trainer.h - a run that trains a codec: crops, the stage's loss, discriminators, the update,
// checkpoints.  One process; the same run gives the same bits however often it was stopped.
// Not here: the losses (codec_stages.h), the command (apps/kani-train).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kani/train/codec/code_cache.h"
#include "kani/train/codec/codec_checkpoint.h"
#include "kani/train/codec/codec_files.h"
#include "kani/train/codec/codec_stages.h"
#include "kani/train/codec/sound_set.h"
#include "kani/train/weight_average.h"

namespace kani::train {

struct CodecUpdateReport {
  int64_t update = 0, total = 0;
  double loss = 0, grad_norm = 0, learning_rate = 0;
  double sound_seconds = 0;  // in the crops
  double seconds = 0, data_seconds = 0;
  Figures
      figures;  // by stage: mel_l1, rate, bits, distance, equal_digits, mel, magnitude, critic …
  bool skipped = false;
};

class CodecTrainer {
 public:
  /// Reads sounds and networks; with `resume` goes on from the newest checkpoint.  Throws
  /// Error(kBadInput) if that was made with other sounds or settings, unless `force`.
  CodecTrainer(CodecTrainConfig config, bool resume, bool force);
  ~CodecTrainer();

  const CodecTrainConfig& config() const { return config_; }
  const NanoCodecConfig& codec_config() const { return codec_->config(); }
  const CodecRunState& state() const { return state_; }
  const SoundSet& sounds() const { return *sounds_; }
  const ParameterMap& parameters() const { return parameters_; }
  /// Numbers that the stage trains.
  int64_t trained_count() const;
  bool done() const { return state_.update >= config_.optimizer.total_steps; }

  /// One update.  Throws Error(kBadInput) after ten in a row whose loss or gradient was not finite.
  CodecUpdateReport step();
  /// Means over crops of the validation set, or of the training set where there is none, always the
  /// same ones; bits_<k> per codebook over all of them, and bits in all.  starts_<name>: of crops
  /// that begin with their recordings.
  Figures evaluate(bool averaged = false);
  void save();
  /// Writes the codec as a .nemo; of averaged weights where there are any.
  void export_to(const std::filesystem::path& file, CodecStorage storage = CodecStorage::kFloat);

 private:
  struct Source {  // of crops
    const SoundSet* sounds;
    CodeCache* codes;
  };
  void start_networks();
  void make_tools();
  CodecSnapshot snapshot();
  std::unique_ptr<CodeCache> make_cache(const SoundSet& sounds) const;
  Figures measured(const Source& source, double starts) const;
  CropBatch batch_of(const Source& source, uint64_t seed, uint64_t number, double starts) const;
  void add_critics(StageResult& result, Figures& figures);
  bool uses_codes() const { return config_.stage == CodecStage::kDecoder; }
  void take_code_networks();
  bool has_analysis() const { return parameters_.contains("analysis.in.weight"); }

  CodecTrainConfig config_;
  at::Device device_;
  std::unique_ptr<SoundSet> sounds_, valid_;
  NanoCodecConfig start_config_;
  ParameterMap parameters_, critic_parameters_;
  std::unique_ptr<CodecModule> codec_;
  std::unique_ptr<AnalysisNetwork> analysis_;
  std::unique_ptr<LogMel> mel_;
  std::unique_ptr<SpectralLoss> spectral_;
  std::unique_ptr<Discriminators> critics_;
  std::unique_ptr<AdamW> optimizer_, critic_optimizer_;
  std::unique_ptr<WeightAverage> average_;  // null: none
  std::unique_ptr<CodeCache> codes_, valid_codes_;
  CodecRunState state_;
};

}  // namespace kani::train
