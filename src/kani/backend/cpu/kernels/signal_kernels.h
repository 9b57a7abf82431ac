// signal_kernels.h - kernel families of the codec on a CPU, and the tables through which they are
// reached.  Each ISA file defines one constinit table; a null entry means "nothing better than the
// level below".  Kernels are noexcept, take plain pointers and sizes, never allocate, and touch
// exactly the elements that their arguments name.
// Legend: see signal_ops.h.  All signals are [C, T], rows `…_stride` floats apart.
#pragma once

#include <cstddef>

namespace kani::cpu {

/// A block of a convolution's output: `rows` output channels times `cols` time steps.
///   v = bias + sum over i, then j, of weight[i][j][row] * x[i][col + j * dilation]
///   y = ((v + add) + sum) / divisor             one accumulator per element, one fused (scalar:
///                                               double) multiply-add per term
struct ConvTile {
  const float* weight;  // [inputs][taps][rows]
  const float* bias;    // [rows]
  const float* x;       // the oldest sample that column 0 reads
  size_t x_stride;
  size_t inputs;
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
  size_t cols;  // 1 … ConvKernel::cols
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

struct SignalTable {
  ConvKernel conv;
  void (*half_snake)(const SnakeTile&) noexcept;
  void (*upsample)(const UpsampleRow&) noexcept;
};

extern const SignalTable kSignalScalar;
extern const SignalTable kSignalAvx2;
extern const SignalTable kSignalAvx512;
extern const SignalTable kSignalNeon;

}  // namespace kani::cpu
