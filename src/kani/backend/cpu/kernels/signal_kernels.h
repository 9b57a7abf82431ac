// signal_kernels.h - kernel families of the codec on a CPU, and the tables through which they are
// reached.  Each ISA file defines one constinit table; a null entry means "nothing better than the
// level below".  Kernels are noexcept, take plain pointers and sizes, never allocate, and touch
// exactly the elements that their arguments name.
// Legend: see signal_ops.h, also for cells, which are floats here by name only: every kernel reads
// and writes them as bits.  All signals are [C, T], rows `…_stride` floats apart.
#pragma once

#include <cstddef>

namespace kani::cpu {

/// A block of a convolution's output: `rows` output channels times `cols` time steps.
///   v = bias + sum over i, then j, of weight[i][j][row] * x[i][col + j * dilation]
///   y = ((v + add) + sum) / divisor             one accumulator per element, one fused (scalar:
///                                               double) multiply-add per term
///
/// The same of two bfloat16 in every cell of weight and x: x[2i] times weight[2i] and x[2i+1] times
/// weight[2i+1] are added with float32 roundings in any order that is the same for all elements.
///
/// Of four bytes in every cell, those of x with 128 added, of weight signed, tap by tap:
///   v = sum over j of scale[col + j * dilation] * (offset[j][row] + sum over i of products)
///   y = ((bias + v * row_scale[row]) + add) …
///   weight [taps][inputs][rows], offset [taps][rows] = -128 times the sum of the tap's weights,
///   row_scale [rows], one behind the other; scale: the row of x behind the last cells.
struct ConvTile {
  const float* weight;  // [inputs][taps][rows]
  const float* bias;    // [rows]
  const float* x;       // the oldest sample that column 0 reads
  size_t x_stride;
  size_t inputs;  // rows of cells
  size_t taps;
  size_t dilation;
  const float* add;  // null: nothing is added
  size_t add_stride;
  const float* sum;  // null: nothing is added
  size_t sum_stride;
  float divisor;
  float* y;  // may be add or sum
  size_t y_stride;
  size_t rows;  // 1 … ConvKernel::rows
  size_t cols;  // 1 … ConvKernel::cols, of float32 any number
};

/// A kernel and the block that fills its registers.
struct ConvKernel {
  void (*run)(const ConvTile&) noexcept;
  size_t rows;
  size_t cols;
};

/// The first `snakes` rows: y = x + inverse * sin(alpha * x)^2; the others: leaky ReLU.
struct SnakeTile {
  const float* x;
  size_t x_stride;
  const float* alpha;    // [snakes]
  const float* inverse;  // [snakes]
  size_t snakes;
  float* y;  // may be x
  size_t y_stride;
  size_t rows;
  size_t cols;
};

/// The same into cells.
struct PackTile {
  const float* x;
  size_t x_stride;
  const float* alpha;    // [snakes]
  const float* inverse;  // [snakes]
  size_t snakes;
  float* y;
  size_t y_stride;
  size_t rows;  // of x
  size_t cols;
  float* room;  // [rows][kPackLanes], for types with scales
};
inline constexpr size_t kPackLanes = 16;

/// y[t * rate + p] = bias + w0[p] * a[t + 1] + w0[p + rate] * a[t] + w1[p] * b[t + 1] + …
struct UpsampleRow {
  const float* a;  // the two inputs, [1 + cols] each
  const float* b;
  const float* weight;  // [2][2 * rate]
  float bias;
  size_t rate;
  size_t cols;  // input columns
  float* y;     // [cols * rate]
};

/// What a split convolution (split_conv.h) multiplies instead of a signal's samples: for each block
/// q of four times d columns and each c < d nine sums of the seven samples s_i =
/// x[(4q + i) * d + c].  With half(a, b, c) = {a - b, b, b - c} they are, at column p = q * d + c,
///   v = half of (s_0 - s_2, s_1 - s_3, s_2 - s_4), of (s_2, s_3, s_4), of (s_2 - s_4, s_3 - s_5,
///       s_4 - s_6)
inline constexpr size_t kSplitPhases = 4;
inline constexpr size_t kSplitSums = 9;
/// Rows of v, m and phases are read and written up to a multiple of so many columns.
inline constexpr size_t kSplitWhole = 16;
struct SplitRow {
  const float* x;   // [(cols / dilation + 1) * 4 * dilation]
  size_t dilation;  // d
  size_t cols;      // of v, a multiple of d
  float* v;         // [9][cols]
  size_t v_stride;
  float* phases;  // room, [4][whole cols + dilation]
  size_t phase_stride;
};

/// The way back: with m the sums of products, p and d as above, and whole(a, b, c) = {a + b, b -
/// c},
///   w_i = whole(m[3i], m[3i + 1], m[3i + 2])        i = 0 … 2
///   line[(4q + 0 … 3) * d + c] = w_0 + w_1, w_1 - w_2
///   y[t] = ((line[skip + t] + add[t]) + sum[t]) / divisor
struct JoinRow {
  const float* m;  // [9][cols]
  size_t m_stride;
  size_t dilation;
  size_t cols;    // of m, a multiple of d
  float* phases;  // room, [4][cols]
  size_t phase_stride;
  float* line;       // room, [4 * cols]
  size_t skip;       // columns of the line before the first of y
  const float* add;  // null: nothing is added
  const float* sum;  // null: nothing is added
  float divisor;
  float* y;  // may be add or sum
  size_t y_cols;
};

struct SignalTable {
  ConvKernel conv;
  void (*split)(const SplitRow&) noexcept;
  void (*join)(const JoinRow&) noexcept;
  void (*half_snake)(const SnakeTile&) noexcept;
  void (*upsample)(const UpsampleRow&) noexcept;
  ConvKernel conv_bf16;
  void (*pack_bf16)(const PackTile&) noexcept;
  ConvKernel conv_i8;
  void (*pack_i8)(const PackTile&) noexcept;
};

extern const SignalTable kSignalScalar;
extern const SignalTable kSignalAvx2;
extern const SignalTable kSignalAvx512;
extern const SignalTable kSignalAvx512Vnni;
extern const SignalTable kSignalAvx512Bf16;
extern const SignalTable kSignalNeon;

}  // namespace kani::cpu
