// speaker.h - what the speaker encoder is: its sizes and its list of tensors.  No arithmetic.
// Source: speaker.md 3 (WavLM with the two affine layers of Orange's TBR head).
//
// Sizes that are accepted: layers 1 to 256, hidden and feed forward size up to 65,536, heads 1 to
// 1,024 that divide the hidden size, 1 to 16 convolutions of up to 65,536 channels, kernels and
// strides 1 to 1,024, buckets 4 to 65,536 (even), embedding 1 to 4,096 numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/tensor_file.h"
#include "kani/spec/tensor_list.h"

namespace kani {

struct SpeakerConfig {
  int hidden_size = 1024;
  int layers = 24;
  int heads = 16;
  int intermediate_size = 4096;
  double layer_norm_eps = 1e-5;                                   // of the transformer's norms
  std::vector<int> conv_dims{512, 512, 512, 512, 512, 512, 512};  // channels after each convolution
  std::vector<int> conv_kernels{10, 3, 3, 3, 3, 2, 2};
  std::vector<int> conv_strides{5, 2, 2, 2, 2, 2, 2};
  int position_kernel = 128;
  int position_groups = 16;
  int buckets = 320;
  int max_bucket_distance = 800;
  int embedding_size = 128;
  int head_width = 512;  // top_interm_size

  int head_size() const { return hidden_size / heads; }
};

/// Parses and validates config.json text.  Absent keys get the library's defaults; a network of
/// another kind (group norm, post-norm, biases, adapter, other activations) is refused.  Every
/// refusal names key, value and rule: Error(kBadInput), or Error(kUnsupported) for another kind.
SpeakerConfig parse_speaker_config(std::string_view json, std::string_view source);

/// Checks all ranges and rules.  Throws Error(kBadInput).
void validate(const SpeakerConfig& config, std::string_view source);

/// Every tensor that upstream's class saves, the ignored ones (num_batches_tracked, I64;
/// masked_spec_embed) left out.
std::vector<TensorSpec> speaker_tensors(const SpeakerConfig& config);

/// Checks a file against the list: missing and misshaped tensors in one message, unknown ones as a
/// warning.  Types must be F32, F16 or BF16.  Throws Error(kBadInput).
void speaker_check(const SpeakerConfig& config, const TensorFile& file);

/// config.json as upstream's class reads it back.
std::string speaker_config_json(const SpeakerConfig& config);

}  // namespace kani
