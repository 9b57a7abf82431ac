// encoder_kernels.h - kernel families of the speaker encoder on a CPU, and the tables through which
// they are reached.  Each ISA file defines one constinit table; a null entry means "nothing better
// than the level below".  Kernels are noexcept, take plain pointers and sizes, never allocate.
// A panel is 32 rows of a matrix (outputs), padded with zero rows, side by side for each k.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::cpu {

/// Outputs per panel: two AVX-512 registers, four AVX2, eight NEON.
inline constexpr size_t kPanel = 32;
/// Numbers that share a scale in kFixed16, and the largest of them: kFixedMax^2 * kFixedGroup fits
/// in 32 bits, so that the sums within a group are exact.
inline constexpr size_t kFixedGroup = 128;
inline constexpr int kFixedMax = 4095;
static_assert(int64_t{kFixedMax} * kFixedMax * int64_t{kFixedGroup} <= INT32_MAX);

/// v[t, n] = (resume ? v[t, n] : 0) + sum_k x[t, k] panel[k, n], in the order of k.
struct PanelArgs {
  const float* x;  // row t is the `cols` floats from x + t * step on
  size_t step;
  size_t rows;
  size_t cols;
  const float* panel;  // [cols][32]
  float* v;            // [rows][32]
  bool resume;
};

/// v[t, n] = sum over groups g of (sum over k of x[t, k] panel[k, n]) * x_scale[t, g] * scale[g, n]
struct FixedPanelArgs {
  const int16_t* x;  // [rows], `step` apart, of groups * 128
  size_t step;
  const float* x_scale;  // [rows][groups]
  size_t rows;
  size_t groups;
  const int16_t* panel;  // [groups][64][32][2]: pairs of k
  const float* scale;    // [groups][32]
  float* v;              // [rows][32]
};

/// ProductEnd for one row (encoder_ops.h).
enum class RowEnd { kStore, kGelu, kAdd, kGeluAdd };

/// y[t] = end(v[t] + bias) for all rows t.
struct FinishArgs {
  const float* v;     // [rows][32], of which the first n count
  const float* bias;  // [n], or null
  size_t rows;
  size_t n;
  RowEnd end;
  float* y;  // rows `step` apart
  size_t step;
};

struct EncoderTable {
  void (*panel_f32)(const PanelArgs&) noexcept;
  void (*panel_fixed16)(const FixedPanelArgs&) noexcept;
  /// x [n] as whole numbers of 13 bits in groups of 128, the last filled up with zeros; one scale a
  /// group (0 for a group of zeros): x[k] is about q[k] * scale[k / 128].
  void (*to_fixed16)(const float* x, size_t n, int16_t* q, float* scale) noexcept;
  /// panel[k, r] = w[r, k] for r < rows <= 32, k < cols; rows of w are `step` apart.
  void (*to_panel)(const float* w, size_t step, size_t rows, size_t cols, float* panel) noexcept;
  /// The same for pairs of k: panel[p, r, 0…1] = q[r, 2p … 2p+1], p < 64.
  void (*to_pairs)(const int16_t* q, size_t step, size_t rows, int16_t* panel) noexcept;
  void (*finish)(const FinishArgs&) noexcept;
  void (*layer_norm)(const float* x, const float* w, const float* b, float eps, bool gelu, size_t n,
                     float* y) noexcept;
  /// s[j] = exp(s[j] * scale + gate * bias[j] - the largest of them); returns their sum.  n >= 1.
  float (*biased_softmax)(float* s, size_t n, float scale, float gate, const float* bias) noexcept;
  void (*scale)(const float* x, float factor, size_t n, float* y) noexcept;
  float (*dot)(const float* a, const float* b, size_t n) noexcept;
};

extern const EncoderTable kEncoderScalar;
extern const EncoderTable kEncoderAvx2;
extern const EncoderTable kEncoderAvx512;
extern const EncoderTable kEncoderAvx512Vnni;
extern const EncoderTable kEncoderNeon;

}  // namespace kani::cpu
