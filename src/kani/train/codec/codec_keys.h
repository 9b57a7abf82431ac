// codec_keys.h - the table of keys of `kani-train codec`: what each is called, what it fills, what
// it means.  Read by the parser, by --keys and by the test that holds docs/training-codecs.md
// against it.
#pragma once

#include "kani/train/codec/codec_config.h"
#include "kani/train/keys.h"

namespace kani::train {

/// In the order in which files are written.
const std::vector<ConfigKey<CodecTrainConfig>>& codec_keys();

}  // namespace kani::train
