// split_conv.h - a convolution with fewer multiplications: the parts of one call, for a backend
// that shares them out (signal_ops_cpu.cc). Karatsuba's trick along time, twice.  Two outputs, d
// columns apart, of two taps need three products: with samples s_0, s_1, s_2
//   s_0 g_0 + s_1 g_1 = (s_0 - s_1) g_0 + s_1 (g_0 + g_1)
//   s_1 g_0 + s_2 g_1 =                   s_1 (g_0 + g_1) - (s_1 - s_2) g_1
// and where samples, taps and outputs are themselves pairs, four outputs of four taps need nine
// where sixteen were.  More taps are groups of four; missing ones stand before the oldest, so that
// no output reads, even with weights that cancel, a column that is newer than itself: a piece of a
// signal has the bits of the whole.  What the trick costs: signals become 9/4 as large (made for a
// few columns at a time, in the second-level cache), weights 8/3 (3 taps), 17/7 or 26/11 as large.
// Only additions besides, of numbers of one size: the error is that of the plain sum within 2 dB.
#pragma once

#include <cstddef>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/backend/signal_ops.h"

namespace kani::cpu {

/// One call of causal_conv().  Its columns are cut into blocks of four times the dilation, counted
/// from the start of the signal; the first and the last may be partial.  Refers to its arguments.
class SplitConv {
 public:
  struct Range {
    size_t begin, end;
    size_t size() const { return end - begin; }
  };

  SplitConv(const SignalTable& table, const CausalConv& conv, ConstMatrix x, const ConvOutput& out);

  /// Blocks in all; columns of one.
  size_t blocks() const { return blocks_; }
  size_t unit() const { return kSplitPhases * shape_.dilation; }
  /// Columns of the output in these blocks.
  Range columns(Range blocks) const;

  /// Most blocks at once, and the floats of work space that they and one thread need.
  static size_t most_blocks(const SignalTable& table, const ConvShape& shape);
  static size_t room(const SignalTable& table, const ConvShape& shape);

  /// Splits some rows of x for some blocks into `signals`; `own` is the thread's own work space.
  /// Both are a room(), and may be the same one.
  void split(Range inputs, Range blocks, float* signals, float* own) const;
  /// Output rows of one block of weights, at columns(blocks), from what split() made of all inputs.
  void sum(Range rows, Range blocks, const float* signals, float* own) const;

 private:
  // Where things lie in a room.
  struct Plan {
    Plan(const SignalTable& table, const ConvShape& shape);
    size_t blocks;           // most at once
    size_t groups;           // of taps
    size_t own[kSplitSums];  // groups that each sum has weights for
    size_t row;              // weights for an output row
    size_t signal_stride;    // of a row of a split signal
    size_t signals;          // floats of all of them
    size_t sum_stride;       // of a row of sums
    size_t phase_stride;
    size_t window;  // columns of x that the most blocks read
  };
  const float* window(size_t input, Range blocks, float* room) const;

  const SignalTable& table_;
  const ConvShape& shape_;
  const float* packed_;
  ConstMatrix x_;
  const ConvOutput& out_;
  Matrix to_;
  Plan plan_;
  size_t skip_;  // columns of the first block that came before
  size_t blocks_;
};

}  // namespace kani::cpu
