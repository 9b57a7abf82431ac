// codec_stages.h - the loss of each stage on a batch of crops.
// Not here: where the crops come from, the update, discriminators' part (codec_trainer.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/train/codec/codec_config.h"
#include "kani/train/codec/codec_module.h"
#include "kani/train/codec/losses.h"
#include "kani/train/metrics.h"

namespace kani::train {

/// What the losses need.  `analysis` is null where its parameters are not there.
struct StageTools {
  const CodecTrainConfig* config = nullptr;
  const CodecModule* codec = nullptr;
  const AnalysisNetwork* analysis = nullptr;
  const LogMel* mel = nullptr;
  const SpectralLoss* spectral = nullptr;
};

struct CropBatch {
  at::Tensor sound;                 // [B, F S]
  at::Tensor codes;                 // [B, G, F] int64 for stage decoder
  std::vector<bool> starts{};       // [B]: of an item that begins with its recording; empty: none
  double progress = 1;              // share of the run that is done
  std::optional<uint64_t> noise{};  // what dropout follows from; nothing: none, as when measuring
};

struct StageResult {
  at::Tensor loss;
  Figures figures;
  at::Tensor digits;      // of the quantizer, if it took part
  at::Tensor made, real;  // sounds for discriminators, [B, (F - context) S], if the stage makes any
};

StageResult stage_loss(CodecStage stage, const StageTools& tools, const CropBatch& batch);

/// Whether a stage trains the parameter.
bool stage_trains(CodecStage stage, const CodecTrainConfig& config, std::string_view parameter);

}  // namespace kani::train
