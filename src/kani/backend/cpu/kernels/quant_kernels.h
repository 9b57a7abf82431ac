// quant_kernels.h - products with weights of 8 and 4 bits on a CPU, and the tables through which
// they are reached.  Activations are rounded to whole numbers, 32 of a row at a time, so that a
// group's sum is one of whole numbers: to 8 bits before weights of 4, to 15 bits (two halves)
// before weights of 8, where 8 bits would cost as much as the weights' own rounding.  A null entry
// means "nothing better than the level below".  Kernels are noexcept, take plain pointers and
// sizes, never allocate. Legend: T tokens, K inputs, B = K/32 blocks of a row of two groups
// (quant/blocks.h, quant/layout.h); 64 rows of a matrix lie together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kani/quant/layout.h"

namespace kani::cpu {

/// Tokens of one call at most.
inline constexpr size_t kQuantTokens = 16;

/// Rounded activations.  8 bits: x is about high * scale.  15 bits: (128 high + low) * scale with
/// low in [-64, 63].
struct QuantInput {
  int8_t* high;   // [32 * blocks]
  int8_t* low;    // the same, or null for 8 bits
  float* scale;   // [blocks]
  int32_t* sums;  // [blocks][2]: sum of the whole numbers of each group
};

/// y[t, r] (+)= row_scale[r] * sum over b of scale[t, b] * (sum over groups g of b of
///              group[g, r] * (sum over k in g of x[t, k] number(r, k)))
struct QuantArgs {
  QuantInput x;   // of the first token; the others follow at `blocks` blocks' distance
  size_t tokens;  // 1 … kQuantTokens
  size_t blocks;
  const uint8_t* w;  // the rows' scales and [blocks] of kQ8Bytes or kQ4Bytes
  float* y;          // rows `ldy` apart
  size_t ldy;
  size_t rows;  // 1 … 64
  bool add;
  size_t ahead = 0;  // weights_ahead(), heeded by the kernels of 8 bits for one token
};

struct QuantTable {
  /// Weights of 8 bits, activations of 15.
  void (*gemm_q8)(const QuantArgs&) noexcept;
  /// Weights of 4 bits, activations of 8.
  void (*gemm_q4)(const QuantArgs&) noexcept;
  /// x [n] in blocks of 32, the last filled up with zeros.
  void (*quantize)(const float* x, size_t n, const QuantInput& out) noexcept;
  /// quant/blocks.h: [16 * groups] weights to scales of groups and numbers; the row's scale.
  /// `groups` is even.
  float (*quantize_row_q8)(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept;
  float (*quantize_row_q4)(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept;
};

extern const QuantTable kQuantScalar;
extern const QuantTable kQuantAvx2;
extern const QuantTable kQuantAvx512Vnni;
extern const QuantTable kQuantNeon;
extern const QuantTable kQuantNeonDot;

}  // namespace kani::cpu
