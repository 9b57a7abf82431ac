// upstream_keys.h - upstream's files where they are not ours: keys that mean nothing here, those
// whose meaning we do not have, its files that are somebody else's, what its code takes for keys
// that a file lacks.  Source: training.md 3.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/yaml.h"
#include "kani/train/config.h"

namespace kani::train {

/// Whether upstream's files have this key and we have none.
bool is_upstreams_alone(std::string_view name);

/// Whether such a key's value says what is done here anyway (fp16 false, optim adamw_torch): then
/// it needs no word.  Throws Error(kBadInput) with source, key and line if it asks for another
/// result (fp16 true, dtype float16, another optim).
bool is_done_anyway(const std::string& name, const YamlValue& value, std::string_view source);

/// Throws Error(kBadInput) that says whose file it is, for dataset_config.yaml and
/// accelerate_config.yaml.
void refuse_others_files(const YamlValue& document, std::string_view source);

/// What upstream's code takes for keys that are not `given`, where that is not our own default.
/// `model_section`: a file has the section of upstream's model_config.yaml.
void take_upstream_defaults(const std::set<std::string>& given, bool model_section,
                            TrainConfig& config);

/// Keys whose values parity settles: packing, dedup_frames, …
bool is_decided_by_parity(std::string_view name);
/// Throws Error(kInvalidArgument) for such keys that are `given` with another value.
void refuse_beside_parity(const std::set<std::string>& given, const TrainConfig& config);
/// Upstream's values of them, but for those of a model that is grown (growth_of() of start.h).
void take_upstream_rules(TrainConfig& config);

}  // namespace kani::train
