// speaker_trainer.h - a training run of the speaker encoder: additive-margin softmax over the
// speakers, AdamW, equal error rate on speakers that are never trained on, checkpoints.
// Source of the loss: Wang et al. 2018, "Additive Margin Softmax for Face Verification".
// Everything that decides the numbers is a function of configuration, recordings and the number of
// the update, so a run that was killed goes on bit for bit (with as many threads).
//
//   step-00000200/run.safetensors   weights, running statistics, class vectors, moments
//   step-00000200/state.json        beside them, and the rest of a sealed folder (sealed_folder.h)
#pragma once

#include <filesystem>
#include <optional>

#include "kani/train/optimizer.h"
#include "kani/train/speaker/equal_error.h"
#include "kani/train/speaker/recordings.h"
#include "kani/train/speaker/speaker_module.h"

namespace kani::train {

struct SpeakerUpdateReport {
  int64_t update = 0;         // its number, from 1
  double loss = 0, hits = 0;  // share of crops whose speaker has the largest cosine
  double grad_norm = 0, learning_rate = 0;
  double crop_seconds = 0;               // length of each crop
  double data_seconds = 0, seconds = 0;  // on the clock: making the crops; all
};

/// One thread at a time.
class SpeakerTrainer {
 public:
  /// With `resume` from the newest whole checkpoint of config.output_dir, if there is one; one of
  /// other recordings or another configuration is refused unless `force`.  Throws Error.
  SpeakerTrainer(SpeakerTrainConfig config, bool resume, bool force = false);

  const SpeakerTrainConfig& config() const { return config_; }
  const Recordings& training() const { return training_; }
  const Recordings& held_out() const { return held_out_; }
  SpeakerModule& module() { return module_; }
  int64_t update() const { return update_; }
  bool done() const { return update_ >= config_.optimizer.total_steps; }

  /// One update.  Throws Error(kBadInput) if loss or gradient is not finite; the checkpoints before
  /// are as they were.
  SpeakerUpdateReport step();
  /// On the held-out speakers.
  SpeakerScores evaluate();
  /// Throws Error(kCannotWrite); the checkpoints before are then as they were.
  void save();

 private:
  at::Tensor loss_of(const CropBatch& batch, double& hits);
  void load(const std::filesystem::path& file, bool force);
  std::optional<std::filesystem::path> find_checkpoint() const;
  ParameterMap everything() const;

  SpeakerTrainConfig config_;
  Recordings training_, held_out_;
  SpeakerModule module_;
  ParameterMap trained_;  // the module's parameters and the class vectors; shares their tensors
  AdamW optimizer_;
  std::vector<TestClip> clips_;  // of the held-out speakers, once they are asked for
  int64_t update_ = 0;
};

/// The vector of one recording, read as the runtime reads a reference.
std::vector<float> embed_file(SpeakerModule& module, const std::filesystem::path& sound);

}  // namespace kani::train
