// blocks.h - weights in 8 and 4 bits: 32 neighbours of a row share a scale.  This file and
// blocks.cc are the definition; kernels lay the same numbers out as they read them best
// (backend/cpu). Not here: which tensors are quantized (lm/), activations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kani {

/// Weights that share a scale.
inline constexpr size_t kQuantBlock = 32;

/// w[i] is about q[i] * scale; scale is a float16 and exact as float.  A block of zeros has scale
/// 0.
struct QuantBlock {
  int8_t q[kQuantBlock];
  float scale;
};

/// 8 bits, q in [-127, 127]: plain rounding, the largest weight meets the end of the range.
///   w: 1 … 32 finite numbers; the block is filled up with zeros.
QuantBlock quantize_q8(std::span<const float> w);

/// 4 bits, q in [-8, 7]: of a row of candidate scales the one with the least squared error.
/// The range is not symmetric, so the weight of largest size decides the sign of the scale.
QuantBlock quantize_q4(std::span<const float> w);
/// Its two halves: the scale, which is most of the work, and the rounding with a given one.
float scale_q4(std::span<const float> w);
QuantBlock with_scale_q4(std::span<const float> w, float scale);

}  // namespace kani
