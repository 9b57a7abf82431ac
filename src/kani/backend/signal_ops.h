// signal_ops.h - the operations that an accelerator offers to codec/: convolutions along time and
// what lies between them.
// Legend: C channels, T time steps, k taps, d dilation, r rate.  A signal is a matrix [C, T] of
// float32: a channel per row, time along the columns; what a convolution reads may also be written
// in fewer bits (SignalType).  Source: codec.md 3, 4, 8.
// Common rules: shapes are asserted; T = 0 does nothing; outputs do not overlap inputs unless said;
// nothing fails but allocate(), pack_conv(), and what needs work space for wider signals of kI8
// than any before, all with Error(kOutOfMemory).  Every output element is summed in one order that
// depends neither on T nor on the number of threads, so a signal cut into pieces gives the same
// bits as the whole (a split convolution has to be told where its columns lie).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "kani/base/view.h"

namespace kani {

/// Numbers in the accelerator's memory, zero at first.  Off the CPU the pointer must not be
/// followed: upload() and download() carry numbers across.
class SignalMemory {
 public:
  virtual ~SignalMemory() = default;
  virtual float* data() = 0;
  virtual size_t size() const = 0;
};

/// How the samples that a convolution reads are written, and its weights with them.  Sums, biases
/// and results are float32 whatever the type.  Fewer bits are packed into cells of 32, which lie
/// where a float32 signal has its numbers, so that a history is copied without knowing the type:
///   kF32   a cell is a number
///   kBf16  a cell is two channels rounded to bfloat16, the even one in the low half
///   kI8    a cell is four channels as round(x / scale) + 128, the first in the low byte; a last
///          row holds the scale of each time step, largest magnitude / 127, in float32.  Weights
///          have a scale per output.  A zeroed cell with a zeroed scale is zero.
/// Bits depend on one time step alone, so that pieces still equal the whole.
enum class SignalType { kF32, kBf16, kI8 };

/// "f32", "bf16", "i8".
constexpr std::string_view signal_type_name(SignalType type) {
  switch (type) {
    case SignalType::kF32:
      return "f32";
    case SignalType::kBf16:
      return "bf16";
    case SignalType::kI8:
      return "i8";
  }
  return "f32";
}

/// Rows of cells that hold C channels, without and with the row of scales.
constexpr size_t channel_cells(SignalType type, size_t channels) {
  switch (type) {
    case SignalType::kF32:
      return channels;
    case SignalType::kBf16:
      return (channels + 1) / 2;
    case SignalType::kI8:
      return (channels + 3) / 4;
  }
  return channels;
}
constexpr size_t signal_rows(SignalType type, size_t channels) {
  return channel_cells(type, channels) + (type == SignalType::kI8 ? 1 : 0);
}

/// A causal convolution of stride 1 (codec.md 3.4).
struct ConvShape {
  size_t inputs = 0;
  size_t outputs = 0;
  size_t taps = 0;
  size_t dilation = 1;
  SignalType type = SignalType::kF32;  // of its input and weights
  /// kF32 only: summed over groups of four taps with fewer multiplications and other roundings,
  /// which depend on where a column lies in its signal (ConvOutput::first).
  bool split = false;

  /// Taps read: where whole groups are, there is none behind the newest sample.
  size_t padded_taps() const { return split ? (taps + 3) / 4 * 4 : taps; }
  /// Columns before the first new one that the convolution reads.
  size_t history() const { return (padded_taps() - 1) * dilation; }
};
struct CausalConv {
  ConvShape shape;
  const float* packed = nullptr;  // weights and biases as pack_conv() wrote them
};

/// y = x + inverse[c] * sin(alpha[c] * x)^2 in the first `snakes` channels, leaky ReLU of slope
/// 0.01 in the others (codec.md 3.2): half of each in the decoder, no snakes in the encoder.
struct HalfSnake {
  size_t channels = 0;                 // C
  size_t snakes = 0;                   // at most C
  const float* alpha = nullptr;        // [snakes]
  const float* inverse = nullptr;      // [snakes]: 1 / (alpha + 1e-9)
  SignalType type = SignalType::kF32;  // of its result: what the next convolution reads
};

/// A transposed convolution of kernel 2r and stride r in groups of two inputs to one output,
/// causal (codec.md 3.5).
struct Upsampler {
  size_t outputs = 0;
  size_t rate = 0;
  const float* weight = nullptr;  // [2 * outputs, 2 * rate]
  const float* bias = nullptr;    // [outputs]
};

/// What becomes of a convolution's result v [outputs, T]; empty views are left out:
///   y = ((v + add) + sum) / divisor        activated = activation(y)
/// `y` may be `add` or `sum`, or empty where only `activated` is wanted and that is float32.
/// `activated` overlaps nothing.
struct ConvOutput {
  ConstMatrix add{};
  ConstMatrix sum{};
  float divisor = 1;
  Matrix y{};
  size_t first = 0;  // columns of the signal before these: split convolutions ask
  const HalfSnake* activation = nullptr;
  Matrix activated{};
};

class SignalOps {
 public:
  virtual ~SignalOps() = default;

  /// Throws Error(kOutOfMemory).
  virtual std::unique_ptr<SignalMemory> allocate(size_t floats) = 0;
  virtual void upload(ConstMatrix host, Matrix to) = 0;
  virtual void download(ConstMatrix from, Matrix host) = 0;
  /// Within the accelerator's memory.
  virtual void copy(ConstMatrix from, Matrix to) = 0;
  /// The best distance of rows of `cols` columns, at least cols.  Views whose first column lies at
  /// a multiple of kAlignment floats are read fastest.
  virtual size_t row_stride(size_t cols) const = 0;
  static constexpr size_t kAlignment = 16;

  /// `wanted` if this machine has instructions for it, otherwise kF32: every type works everywhere,
  /// but the others are slow where they are plain loops.
  virtual SignalType fast_type(SignalType wanted) const = 0;

  /// Whether this machine is faster at the convolution if it is split; `columns` are those of the
  /// fewest that a call has, a frame's.
  virtual bool split_pays(const ConvShape& shape, size_t columns) const = 0;

  /// Floats that pack_conv() writes: a multiple of kAlignment.
  virtual size_t packed_size(const ConvShape& shape) const = 0;
  /// Throws Error(kOutOfMemory).
  /// weight [outputs, inputs, taps], the last tap meets the newest sample; bias [outputs]; both in
  /// host memory.  `packed` in the accelerator's.
  virtual void pack_conv(const ConvShape& shape, std::span<const float> weight,
                         std::span<const float> bias, float* packed) = 0;

  /// v[o,t] = bias[o] + sum over i, j of weight[o,i,j] * x[i, t + j*d]
  ///   x [inputs, history + T] of the shape's type: the old columns, then the new ones.
  /// If it is split, a number that is not finite reaches padded_taps() columns, and as NaN.
  virtual void causal_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) = 0;

  /// x [C, T], y of the activation's type; y may be x if that is float32.
  virtual void half_snake(const HalfSnake& activation, ConstMatrix x, Matrix y) = 0;

  /// y[o, t*r+p] = bias[o] + sum over i in {2o, 2o+1} of w[i,p] * x[i,t+1] + w[i,p+r] * x[i,t]
  ///   x [2 * outputs, 1 + T]: the last old column, then the new ones; y [outputs, T*r].
  virtual void upsample(const Upsampler& up, ConstMatrix x, Matrix y) = 0;

  /// y[c*r+s, t] = x[c, t*r+s]: every r-th sample a row of its own, so that a convolution of stride
  /// r becomes one of stride 1.
  ///   x [C, T*r]; y [C*r, T], r > 0.
  virtual void split_phases(ConstMatrix x, Matrix y) = 0;
};

}  // namespace kani
