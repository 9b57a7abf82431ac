// blocks.h - weights in 8 and 4 bits.  16 neighbours of a row share a scale of 8 bits, which counts
// in units of the row's own scale, a float.  This file and blocks.cc are the definition; kernels
// give the same bits faster and lay the numbers out as they read them best (backend/cpu).
// Not here: which tensors are quantized (lm/quant_policy.h), activations.
//
// Why so: mean KL of the mini model in nats a token (speaking temperature; heads in 8 bits), by
// what 4 bits mean, at the same 4.5 bits a weight: 32 with a float16 scale and equal steps 0.204,
// unequal steps 0.166; 16 with this scale of two levels and equal steps 0.150, unequal steps 0.127.
// A minimum beside the scale (0.157 at 5 bits) is worth less than its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kani {

/// Weights that share a scale.
inline constexpr size_t kQuantGroup = 16;
/// Rows are filled up with zeros to a multiple of this: two groups, read together.
inline constexpr size_t kQuantBlock = 32;

/// What the 16 codes of 4 bits stand for: dense near zero, where most weights of a group lie; an
/// end of the range on either side, so a group may turn it around.  Found by others for the same
/// purpose (IQ4_NL of llama.cpp); levels fitted to the mini model itself were no better.
inline constexpr int8_t kQ4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};

/// A row: w[k] is about scale * groups[k / 16] * number(k), number(k) = q[k] for 8 bits and
/// kQ4Levels[q[k]] for 4.  A row of zeros has scale 0.
struct QuantRow {
  std::span<int8_t> groups;  // one per 16 weights: 0 … 127 for 8 bits, -127 … 127 for 4
  std::span<int8_t> q;       // one per weight
};

/// 8 bits, q in [-127, 127]: plain rounding, a group's scale no smaller than its largest weight
/// needs.  `w`: finite, a multiple of 32.  Returns the row's scale.
float quantize_row_q8(std::span<const float> w, QuantRow out) noexcept;

/// 4 bits, q in [0, 15]: of ten scales of a group the one with the least squared error.
float quantize_row_q4(std::span<const float> w, QuantRow out) noexcept;

/// Parts of quantize_row_q4.  The best scale of 16 weights, not yet rounded:
float fit_q4(const float* w) noexcept;
/// The code of the level nearest to x (the lower one of two).
int8_t nearest_q4(float x) noexcept;

/// Where the largest weight of a group may come to lie; kQ4Candidates / largest is 1 / scale.
inline constexpr float kQ4Candidates[10] = {-101.6F, -114.3F, -127.0F, -139.7F, -152.4F,
                                            90.4F,   101.7F,  113.0F,  124.3F,  135.6F};

/// Halfway between neighbouring levels.
inline constexpr float kQ4Bounds[15] = {-115.5F, -93.5F, -74.0F, -57.0F, -42.0F,
                                        -28.5F,  -16.0F, -4.5F,  7.0F,   19.0F,
                                        31.5F,   45.5F,  61.0F,  79.0F,  101.0F};

}  // namespace kani
