// codec_config.h - what a run that trains a codec is told.  Keys are read as those of language
// models (config.h): YAML with sections or "key=value"; unknown ones are errors that name the
// nearest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kani/spec/nanocodec.h"
#include "kani/train/codec/analysis.h"
#include "kani/train/codec/codec_module.h"
#include "kani/train/codec/discriminators.h"
#include "kani/train/codec/losses.h"
#include "kani/train/optimizer.h"

namespace kani::train {

/// The stages in their order.  Each starts from what the one before has left (key init).
enum class CodecStage {
  kMel,      // analysis network and the decoder's first stage learn the codes
  kEncoder,  // the encoder learns the analysis network's latents from the waveform
  kDecoder,  // the decoder learns to speak from codes that stay as they are
  kJoint,    // encoder and decoder together
};
std::string_view stage_name(CodecStage stage);

struct CodecTrainConfig {
  CodecStage stage = CodecStage::kMel;
  std::string init;           // a .nemo, a checkpoint, or a folder of them; empty: from nothing
  std::string code_networks;  // of a .nemo as init: a file of export_code_networks(); empty: none
  std::string output_dir = "./codec-checkpoints";
  std::vector<std::string> data;  // sounds (sound_set.h)
  std::vector<std::string> valid_data;
  NanoCodecConfig codec;            // of one made from nothing
  std::vector<int> more_dilations;  // blocks for the decoder of init (deepen_decoder)
  AnalysisSize analysis;
  OptimizerSettings optimizer;  // total_steps: updates of the run
  // Batches.
  int64_t batch_size = 8;      // crops of an update
  int64_t crop_frames = 16;    // frames of a crop
  int64_t context_frames = 2;  // leading frames whose sound or mels do not count, but for the
                               // first ones of a recording: nothing was before them
  double start_share = 0.125;  // of the crops, more than chance has, begin with their recording
  uint64_t seed = 42;
  // Stage mel, and what the encoder stage takes of it.
  double change_weight = 0.2;   // of the mels' change in time
  double limit_weight = 0.003;  // of latents beyond latent_limit
  double latent_limit = 2.5;
  double rate_weight = 0.03;   // of mean log(1 + |compressed latent|), at the end
  double rate_from = 0.35;     // share of the updates after which it grows …
  double rate_over = 0.3;      // … over this share of them
  double group_dropout = 0.2;  // share of crops that keep only their first groups
  double group_dropout_from = 0.25;
  double encoder_mel_weight = 0.5;  // stage encoder: of mels through quantizer and first stage
  double encoder_mel_from = 0.4;    // share of the updates after which that grows …
  double encoder_mel_over = 0.2;    // … over this share of them
  bool analysis_learns = true;      // stage mel; false: the codes stay as they are
  bool front_learns = true;  // stage encoder: the decoder's first stage, too; not behind a decoder
  // Stages decoder and joint.
  std::string codes = "encoder";  // who makes the codes: encoder, analysis, mixed
  double mel_weight = 1, magnitude_weight = 1;
  std::vector<double> mel_guards = SpectralRules().mel_guards;  // below them mels count for little
  double spread_weight = 0;       // of the variances of log-mels in time (losses.h)
  double clip_weight = 1;         // of what is beyond [-1, 1]
  double aux_weight = 0.1;        // of mels from the first stage, where their head is there
  int64_t adversarial_from = -1;  // update from which discriminators take part; -1: never
  double adversarial_weight = 1, feature_weight = 2;
  double critic_learning_rate = 2e-4;
  DiscriminatorSizes critics;
  // Files and reports.
  int64_t save_steps = 500;
  int64_t save_total_limit = 5;
  int64_t keep_every = 0;
  int64_t logging_steps = 10;
  int64_t eval_every = 500;
  int64_t eval_crops = 32;
  double ema_decay = 0;
  std::string device = "auto";
  int threads = 0;  // 0: one on CPUs

  /// Throws Error(kInvalidArgument) naming key, value and rule.
  void validate() const;
};

/// A small codec and what suits the stage.
CodecTrainConfig codec_defaults(CodecStage stage);

/// YAML files and "key=value" settings in order, over the defaults of the stage that they name (or
/// `stage`, if not empty).  `yamls` are pairs of text and name.  Throws Error(kBadInput) with
/// source, line, key and the nearest known key.
CodecTrainConfig read_codec_config(const std::vector<std::pair<std::string, std::string>>& yamls,
                                   const std::vector<std::string>& settings,
                                   const std::string& stage = "");
/// All keys, or those that change the numbers, as YAML that reads back.
std::string resolved_yaml(const CodecTrainConfig& config);
std::string numeric_yaml(const CodecTrainConfig& config);
/// Keys that change the numbers and that the resolved YAML of another run has otherwise, "seed was
/// 42, is 1; …"; places are the same however they are written.  Throws Error(kBadInput).
std::string changed_keys(std::string_view resolved, std::string_view source,
                         const CodecTrainConfig& config);
/// All keys with their values and what they mean, as YAML that reads back.
std::string keys_text(const CodecTrainConfig& config);

}  // namespace kani::train
