// start.h - the model that a run starts from, as its configuration says: loaded or grown, with its
// languages, what is frozen, adapters.
// Source: training.md 7, 13, 14.8.
#pragma once

#include "kani/train/clip_set.h"
#include "kani/train/config.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Throws Error(kNotFound) with a hint unless model_id is a folder: names of a hub are none.
void check_base(const TrainConfig& config);

/// How a model with these limits of its RoPE factors is grown: what the keys leave open is settled
/// by our rule, with parity by upstream's.  Throws Error(kInvalidArgument) if alpha_init is given
/// beside parity and is not the middle.
GrowthSettings growth_of(const TrainConfig& config, double alpha_min, double alpha_max);

/// Throws Error as load_module(), grown_config(), add_adapters() and language_tokens(), for tags
/// that are none, for adapters beside rows that are new, and for parts of names in freeze and
/// group_lr that no parameter has.  `tokens` becomes the languages that
/// have a token.
Lfm2Module start_model(const TrainConfig& config, std::vector<LanguageToken>* tokens = nullptr);

/// Throws Error(kBadInput) if the clips have none of a language that is to be learnt, or if the
/// text of one does not begin with its tag (the first hundred of each are looked at; not without
/// the model's tokenizer.json).
void check_languages(const TrainConfig& config, const Lfm2Config& model, const ClipSet& clips,
                     const std::vector<LanguageToken>& tokens);

/// Throws Error(kBadInput) if the clips' text ids are another text in the model's tokenizer than
/// the one that stands beside them (some clips are looked at, if tokenizer.json is not the very
/// file that the set names).  A warning if a set of ids alone names another file.
void check_tokenizer(const TrainConfig& config, const ClipSet& clips);

}  // namespace kani::train
