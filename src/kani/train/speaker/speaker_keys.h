// speaker_keys.h - the table of keys of `kani-train speaker`: what each is called, what it fills,
// what it means.  Read by the parser, by --keys and by the test that holds
// docs/training-speakers.md against it.
#pragma once

#include "kani/train/keys.h"
#include "kani/train/speaker/speaker_config.h"

namespace kani::train {

/// In the order in which files are written.
const std::vector<ConfigKey<SpeakerTrainConfig>>& speaker_keys();

}  // namespace kani::train
