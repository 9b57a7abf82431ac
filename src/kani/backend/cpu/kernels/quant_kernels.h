// quant_kernels.h - products with weights of 8 and 4 bits on a CPU, and the tables through which
// they are reached.  Activations are rounded to 8 bits, 32 of a row at a time, so that a block's
// sum is one of whole numbers.  A null entry means "nothing better than the level below".  Kernels
// are noexcept, take plain pointers and sizes, never allocate. Legend: T tokens, K inputs, B = K/32
// blocks of a row (quant/blocks.h); 64 rows of a matrix lie together, those beyond its end are
// zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::cpu {

inline constexpr size_t kQuantRows = 64;
/// Bytes of 64 rows of one block: their scales (float16), then their numbers,
///   8 bits: [8][64][4]: byte [g, r, i] is q of row r at 4g + i
///   4 bits: [4][64][4]: byte [g, r, i] has q + 8 at 4g + i in its low half, at 16 + 4g + i in its
///           high half
inline constexpr size_t kScaleBytes = kQuantRows * 2;
inline constexpr size_t kQ8Bytes = kScaleBytes + 32 * kQuantRows;
inline constexpr size_t kQ4Bytes = kScaleBytes + 16 * kQuantRows;
/// Tokens of one call at most.
inline constexpr size_t kQuantTokens = 16;

/// y[t, r] (+)= sum over b of x_scale[t, b] * scale[b, r] * (sum over k in b of x[t, k] q[b, r, k])
struct QuantArgs {
  const int8_t* x;       // [tokens][32 * blocks]
  const float* x_scale;  // [tokens][blocks]
  const int32_t* x_sum;  // [tokens][blocks]: sum of x in the block
  size_t tokens;         // 1 … kQuantTokens
  size_t blocks;
  const uint8_t* w;  // [blocks] of kQ8Bytes or kQ4Bytes
  float* y;          // rows `ldy` apart
  size_t ldy;
  size_t rows;  // 1 … 64
  bool add;
};

struct QuantTable {
  void (*gemm_q8)(const QuantArgs&) noexcept;
  void (*gemm_q4)(const QuantArgs&) noexcept;
  /// x [n] in blocks of 32, the last filled up with zeros: q, scales and sums.
  void (*quantize)(const float* x, size_t n, int8_t* q, float* scale, int32_t* sum) noexcept;
  /// The scale of quantize_q4 (quant/blocks.h) for 32 weights, not yet rounded to float16.
  float (*scale_q4)(const float* w) noexcept;
};

extern const QuantTable kQuantScalar;
extern const QuantTable kQuantAvx2;
extern const QuantTable kQuantAvx512Vnni;

}  // namespace kani::cpu
