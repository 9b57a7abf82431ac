// language_kernels.h - kernel families of the language model on a CPU, and the tables through which
// they are reached. Each ISA file defines one constinit table; a null entry means "nothing better
// than the level below". Kernels are noexcept, take plain pointers and sizes, never allocate.
// Legend: see language_ops.h.  A block is 64 rows of a matrix, padded with zero rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::cpu {

/// Rows per block of a packed matrix: four AVX-512 registers, eight AVX2, sixteen NEON.
inline constexpr size_t kBlockRows = 64;

/// One block times T vectors: y[t, r] (+)= sum_k x[t, k] w[k, r] for r < rows.
/// Layout of `w`: f32  [K][64];  bf16 [ceil(K/2)][64][2], the second of a pair zero where K is odd.
/// Sums run over k in order, one fused (or, scalar, unfused) multiply-add per term.
struct GemmArgs {
  const float* x;  // [tokens, K], stride ldx
  size_t ldx;
  size_t tokens;
  size_t cols;  // K
  const void* w;
  float* y;  // [tokens, rows], stride ldy
  size_t ldy;
  size_t rows;  // 1 … 64
  bool add;
};

/// One kv head's part of attention for one element: `group` query heads share its keys and values.
/// Layout: keys [ceil(S/16)][D][16] (lanes are elements), values [S][D].
struct AttendArgs {
  const float* q;  // [group, D], adjacent
  size_t group;
  size_t head_dim;
  const float* keys;
  const float* values;
  size_t value_stride;  // floats between two elements' values
  size_t elements;      // S, at least 1
  float scale;          // 1 / sqrt(D)
  float* scores;        // scratch, group * round_up(S, 16)
  float* y;             // [group, D], adjacent
};

struct LanguageTable {
  void (*gemm_f32)(const GemmArgs&) noexcept;
  void (*gemm_bf16)(const GemmArgs&) noexcept;
  void (*rms_norm)(const float* x, const float* w, float eps, size_t n, float* y) noexcept;
  void (*silu_mul)(const float* gate, const float* up, size_t n, float* y) noexcept;
  /// x [D] normed with w, then rotated with cos, sin [D/2], in place.
  void (*norm_rope)(float* x, const float* w, float eps, const float* cos, const float* sin,
                    size_t head_dim) noexcept;
  /// g = b * x, one step; history [taps-1] rows of n before it, oldest first; y = c * (taps .
  /// [history, g] + bias). `history` rows are given as pointers so that the caller can rotate them.
  /// bias may be null.
  void (*conv_step)(const float* b, const float* c, const float* x, const float* taps,
                    size_t taps_count, const float* bias, const float* const* history, size_t n,
                    float* g, float* y) noexcept;
  void (*attend)(const AttendArgs&) noexcept;
};

extern const LanguageTable kLanguageScalar;
extern const LanguageTable kLanguageAvx2;
extern const LanguageTable kLanguageAvx512;
extern const LanguageTable kLanguageNeon;

}  // namespace kani::cpu
