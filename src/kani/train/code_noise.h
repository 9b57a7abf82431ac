// code_noise.h - wrong codes among those that the model sees while training, so that a model of few
// hours learns to go on from what it says itself.  Targets and positions stay.
// Two kinds: one digit of the code moves by one, the smallest mistake there is (digits:
// audio_table.h), or the code is any of its codebook.
// Not here: which codes a clip has, LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kani/tokens/layout.h"
#include "kani/train/sequence.h"

namespace kani::train {

struct CodeNoise {
  double digit = 0;   // share of the audio ids with a digit that moves, of those that are not drawn
  double random = 0;  // share of the audio ids that are drawn

  bool on() const { return digit > 0 || random > 0; }
  /// Throws Error(kInvalidArgument) naming the setting.
  void validate() const;
};

/// Changes the ids of a batch, a function of `key` and the place in the batch alone.  The product
/// of `levels` is the layout's codebook_size.
void add_code_noise(const CodeNoise& noise, const TokenLayout& layout,
                    std::span<const int64_t> levels, uint64_t key, PackedBatch& batch);

}  // namespace kani::train
