// growth_settings.h - how a base grows to a model that speaks (grow.h).
// Source: training.md 7, 14.8.  Not here: LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kani/spec/lfm2.h"

namespace kani::train {

/// Keys that are open: with first_train the values written here, else those of config.json.
struct GrowthSettings {
  bool first_train = false;                    // the base is a text model
  bool init_from_scratch = false;              // of the base only the configuration counts
  std::optional<int64_t> audio_tokens_start;   // A; 64410
  std::optional<int64_t> tokens_per_frame;     // codebooks; 4
  std::optional<int64_t> speaker_emb_dim;      // 128
  std::optional<bool> use_learnable_rope;      // true
  std::optional<double> alpha_min, alpha_max;  // 0.1, 2
  std::optional<double> audio_step;            // 1
  int64_t audio_codebook_size = 4032;          // codes of a codebook
  /// mean: upstream's.  mean+noise: mean of the text rows, half their deviation.  normal:S.  Open:
  /// mean+noise, with parity mean (start.h).
  std::optional<std::string> init_audio_rows;
  /// Factor of RoPE at the start.  Open: 1, with parity the middle of its range.
  std::optional<double> alpha_init;

  /// Throws Error(kInvalidArgument) naming the setting.
  void validate() const;
  /// init_audio_rows, or what stands for it while it is open.
  std::string row_rule() const;
  /// S of normal:S; nothing for another rule and for an S that is no number.
  std::optional<double> row_deviation() const;
  /// Rows of the grown embedding, V.
  int64_t rows() const;
  /// What replaces the base's own values.
  Lfm2Overrides overrides() const;
};

}  // namespace kani::train
