// speaker.h - what the speaker encoder is: its sizes and its list of tensors.  No arithmetic.
// Source: speaker.md 3 (WavLM with the two affine layers of Orange's TBR head).
#pragma once

#include <string>
#include <vector>

#include "kani/spec/lfm2.h"

namespace kani {

struct SpeakerConfig {
  int hidden_size = 1024;
  int layers = 24;
  int heads = 16;
  int intermediate_size = 4096;
  int conv_width = 512;  // of all seven convolutions
  std::vector<int> conv_kernels{10, 3, 3, 3, 3, 2, 2};
  std::vector<int> conv_strides{5, 2, 2, 2, 2, 2, 2};
  int position_kernel = 128;
  int position_groups = 16;
  int buckets = 320;
  int max_bucket_distance = 800;
  int embedding_size = 128;
  int head_width = 512;  // top_interm_size
};

/// Every tensor that upstream's class saves, the ignored ones (num_batches_tracked, I64;
/// masked_spec_embed) left out.
std::vector<TensorSpec> speaker_tensors(const SpeakerConfig& config);

/// config.json as upstream's class reads it back.
std::string speaker_config_json(const SpeakerConfig& config);

}  // namespace kani
