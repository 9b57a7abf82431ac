// bf12_kernels.h - bf16 weights in 12 bits without loss, their products on a CPU, and the tables
// through which these are reached.  A decode step reads every weight once and waits for memory, so
// a quarter less to read is a quarter less to wait.
//
// Sign and fraction of a bf16 are noise, its exponent is not: within 64 rows nearly all weights lie
// within a factor of 2^14 of the largest.  A weight keeps its sign and fraction (8 bits) and a code
// of 4 bits: 0 … 14 stand for the exponents lowest … lowest + 14, 15 for exponent 0 (zeros and
// subnormals).  The few weights between are zeros here and stand in a list of their own, added
// last. Related: DFloat11 (Zhang et al. 2025), which packs exponents in a Huffman code.
//
// Legend: see language_kernels.h.  P = ceil(K / 2) pairs of neighbours.  A null entry means
// "nothing better than the level below".  Kernels are noexcept, take plain pointers and sizes,
// never allocate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::cpu {

/// Bytes of one pair of columns in 64 rows: 64 of codes, then 2 x 64 of signs and fractions.
///   Byte 16 L + b, b < 8, of the h-th 64: row 32 h + 4 L + b / 2, column b % 2 of the pair;
///   b >= 8: row 32 h + 16 + 4 L + (b - 8) / 2.  The codes of h = 0 are the low halves.
/// So interleaving the bytes of a vector gives two vectors of bf16 pairs on every instruction set.
inline constexpr size_t kBf12PairBytes = 192;

/// A weight that has no code: too small beside the largest of its block.
struct RareWeight {
  uint32_t column;
  uint32_t row;  // in the block
  float value;
};

/// A block's codes to bf16 and back.
struct Bf12Block {
  const uint8_t* packed;  // [P] of kBf12PairBytes
  size_t pairs;
  uint8_t lowest;  // exponent of code 0, at least 1
};

/// y[t, r] (+)= sum over k of x[t, k] w[k, r] for a few vectors, rare weights left out: the same
/// sums in the same order as the kernel for bf16.
struct Bf12Args {
  Bf12Block block;
  const float* x;  // [tokens, K], stride ldx
  size_t ldx;
  size_t tokens;  // 1 … Bf12Table::tokens
  size_t cols;    // K
  float* y;       // [tokens, rows], stride ldy
  size_t ldy;
  size_t rows;  // 1 … 64
  bool add;
  size_t ahead = 0;  // weights_ahead()
};

struct Bf12Table {
  void (*gemm)(const Bf12Args&) noexcept;
  size_t tokens;  // that one call of gemm takes; 0 without it
  /// plain [P][64][2], as GemmArgs has it.
  void (*expand)(const Bf12Block& block, uint16_t* plain) noexcept;
  /// Writes the codes of `plain` and up to `capacity` rare weights in the order of pairs; returns
  /// how many there are.
  size_t (*pack)(const uint16_t* plain, size_t pairs, uint8_t lowest, uint8_t* packed,
                 RareWeight* rare, size_t capacity) noexcept;
  /// The largest exponent among `count` bf16 numbers.
  uint8_t (*largest_exponent)(const uint16_t* numbers, size_t count) noexcept;
};

extern const Bf12Table kBf12Scalar;
extern const Bf12Table kBf12Avx2;
extern const Bf12Table kBf12Avx512;
extern const Bf12Table kBf12Neon;

}  // namespace kani::cpu
