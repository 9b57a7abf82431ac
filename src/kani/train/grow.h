// grow.h - from a text model to one that speaks: rows for audio ids, the voice projection, factors
// of learnable RoPE; or a model from nothing.
// Source: training.md 7, 14.8; the rule of upstream's library for new rows ("mean resizing").
// Not here: files, languages (start.h).
#pragma once

#include <cstdint>

#include "kani/train/growth_settings.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Deviation of what is random from the start.
inline constexpr double kStartDeviation = 0.02;

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
