// grow.h - from a text model to one that speaks: rows for audio ids, the voice projection, factors
// of learnable RoPE; or a model from nothing.
// Source: training.md 7, 14.8; the rule of upstream's library for new rows ("mean resizing").
// Not here: files, languages (start.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Deviation of what is random from the start.
inline constexpr double kStartDeviation = 0.02;

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
  /// Rows of the grown embedding, V.
  int64_t rows() const;
  /// What replaces the base's own values.
  Lfm2Overrides overrides() const;
};

/// The configuration that a text model's becomes.  Throws Error(kInvalidArgument) if it has more
/// rows than the grown one.
Lfm2Config grown_config(const Lfm2Config& base, const GrowthSettings& settings);

/// Parameters of the same kind with nothing learnt: Normal(0, 0.02), norms 1, biases 0.
ParameterMap random_parameters(const Lfm2Config& config, uint64_t seed);

/// Grows `parameters` of a model with `old_rows` rows to what `config` asks for: rows of embedding
/// and head, the voice projection (Normal(0, 0.02)) and RoPE factors if they are not there.  With
/// init_audio_rows mean, rows that exist stay and new ones are Normal(mean, 1e-9 x covariance) of
/// them; else all from the control ids on (A - 10) are new, made from the rows before.  Tables that
/// have all rows stay as they are.  A function of `seed`.  Throws Error(kInvalidArgument) if a
/// factor is made and alpha_init is not between alpha_min and alpha_max.
void grow(const Lfm2Config& config, const GrowthSettings& settings, uint64_t seed,
          ParameterMap& parameters);

}  // namespace kani::train
