// config_keys.h - the one table of kani-train's keys: what each is called, what it fills, what it
// means.  Read by the parser, by `kani-train --keys` and by the test that holds docs/training.md
// against it.  Not here: upstream's keys that are none of ours (upstream_keys.h).
#pragma once

#include "kani/train/config.h"
#include "kani/train/keys.h"

namespace kani::train {

/// In the order in which files are written.
const std::vector<ConfigKey<TrainConfig>>& train_keys();

}  // namespace kani::train
