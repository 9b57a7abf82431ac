// split_conv.cc - see split_conv.h.  A room holds, one behind the other: the split signals
// [9][inputs][signal_stride], then of one thread sums [9][rows][sum_stride], phases
// [4][phase_stride] and a window of x or a line of output.
#include "kani/backend/cpu/split_conv.h"

#include <algorithm>
#include <cassert>

#include "kani/backend/cpu/packed_weights.h"

namespace kani::cpu {
namespace {

// Split signals for this many floats at once: half a second-level cache of 512 KB, of which the
// weights of one sum pass through the rest.
constexpr size_t kSignalFloats = 65536;
constexpr size_t kLeastColumns = 32, kMostColumns = 64;
// Columns of products are computed in whole registers of this many.
constexpr size_t kWhole = 8;

size_t round_up(size_t a, size_t unit) { return (a + unit - 1) / unit * unit; }

// An odd number of whole cache lines.
size_t stride_for(size_t cols) {
  return (round_up(cols, kSplitWhole) / kSplitWhole | 1) * kSplitWhole;
}

}  // namespace

// Columns of products fill the kernel's blocks, or with a dilation whole registers of every width.
size_t SplitConv::most_blocks(const SignalTable& table, const ConvShape& shape) {
  const size_t fit = kSignalFloats / (kSplitSums * shape.inputs);
  const size_t columns = std::clamp(fit, kLeastColumns, kMostColumns);
  const size_t unit = shape.dilation == 1 ? table.conv.cols : 16;
  return unit * std::max<size_t>(1, columns / (unit * shape.dilation));
}

SplitConv::Plan::Plan(const SignalTable& table, const ConvShape& shape)
    : blocks(most_blocks(table, shape)),
      groups(shape.padded_taps() / kSplitPhases),
      row(packed_row(shape)) {
  const size_t sums = blocks * shape.dilation;
  const size_t cols = sums + (groups - 1) * shape.dilation;
  signal_stride = stride_for(cols);
  // Behind the last row the products read a little.
  signals = kSplitSums * shape.inputs * signal_stride + kSplitWhole;
  sum_stride = stride_for(sums);
  phase_stride = stride_for(cols + shape.dilation + kSplitWhole);
  window = (blocks + groups) * kSplitPhases * shape.dilation;
  for (size_t k = 0; k < kSplitSums; ++k) own[k] = split_groups(shape, k);
}

size_t SplitConv::room(const SignalTable& table, const ConvShape& shape) {
  const Plan plan(table, shape);
  return plan.signals + kSplitSums * table.conv.rows * plan.sum_stride +
         kSplitPhases * plan.phase_stride + round_up(plan.window, SignalOps::kAlignment);
}

SplitConv::SplitConv(const SignalTable& table, const CausalConv& conv, ConstMatrix x,
                     const ConvOutput& out)
    : table_(table),
      shape_(conv.shape),
      packed_(conv.packed),
      x_(x),
      out_(out),
      to_(out.y.data() != nullptr ? out.y : out.activated),
      plan_(table, shape_),
      skip_(out.first % unit()),
      blocks_((skip_ + to_.cols() + unit() - 1) / unit()) {
  assert(shape_.type == SignalType::kF32);
}

SplitConv::Range SplitConv::columns(Range blocks) const {
  const auto column = [this](size_t block) {
    return std::min(std::max(block * unit(), skip_) - skip_, to_.cols());
  };
  return {column(blocks.begin), column(blocks.end)};
}

// The columns of x that the blocks read, with zeros for those that no output needs.
const float* SplitConv::window(size_t input, Range blocks, float* room) const {
  const size_t begin = blocks.begin * unit(), size = (blocks.size() + plan_.groups) * unit();
  const float* row = x_.row(input);
  const size_t end = skip_ + x_.cols();  // both counted from the start of the first block
  if (begin >= skip_ && begin + size <= end) return row + (begin - skip_);
  const size_t from = std::max(begin, skip_), to = std::min(begin + size, end);
  std::fill_n(room, from - begin, 0.0F);
  std::copy(row + (from - skip_), row + (to - skip_), room + (from - begin));
  std::fill_n(room + (to - begin), begin + size - to, 0.0F);
  return room;
}

void SplitConv::split(Range inputs, Range blocks, float* signals, float* own) const {
  assert(blocks.size() <= plan_.blocks);
  const size_t step = shape_.inputs * plan_.signal_stride;
  float* phases = own + plan_.signals + kSplitSums * table_.conv.rows * plan_.sum_stride;
  for (size_t i = inputs.begin; i < inputs.end; ++i) {
    table_.split({.x = window(i, blocks, phases + kSplitPhases * plan_.phase_stride),
                  .dilation = shape_.dilation,
                  .cols = (blocks.size() + plan_.groups - 1) * shape_.dilation,
                  .v = signals + i * plan_.signal_stride,
                  .v_stride = step,
                  .phases = phases,
                  .phase_stride = plan_.phase_stride});
  }
}

void SplitConv::sum(Range rows, Range blocks, const float* signals, float* own) const {
  static constexpr float kZeros[64] = {};
  assert(rows.size() <= table_.conv.rows && table_.conv.rows <= 64);
  const size_t step = shape_.inputs * plan_.signal_stride, d = shape_.dilation;
  float* sums = own + plan_.signals;
  const size_t sum_row = kSplitSums * plan_.sum_stride, cols = blocks.size() * d;
  const float* weight = packed_ + rows.begin * plan_.row;
  const float* bias = packed_ + shape_.outputs * plan_.row + rows.begin;
  for (size_t k = 0; k < kSplitSums; ++k) {
    const size_t groups = plan_.own[k];
    table_.conv.run({.weight = weight,
                     .bias = k == kSplitSums / 2 ? bias : kZeros,  // in all four outputs
                     .x = signals + k * step + (plan_.groups - groups) * d,
                     .x_stride = plan_.signal_stride,
                     .inputs = shape_.inputs,
                     .taps = groups,
                     .dilation = d,
                     .add = nullptr,
                     .add_stride = 0,
                     .sum = nullptr,
                     .sum_stride = 0,
                     .divisor = 1,
                     .y = sums + k * plan_.sum_stride,
                     .y_stride = sum_row,
                     .rows = rows.size(),
                     .cols = round_up(cols, kWhole)});
    weight += groups * shape_.inputs * rows.size();
  }
  const Range to = columns(blocks);
  float* phases = sums + table_.conv.rows * sum_row;
  const auto row_of = [&](ConstMatrix m, size_t row) {
    return m.data() == nullptr ? nullptr : m.row(row) + to.begin;
  };
  for (size_t r = rows.begin; r < rows.end; ++r) {
    table_.join({.m = sums + (r - rows.begin) * sum_row,
                 .m_stride = plan_.sum_stride,
                 .dilation = d,
                 .cols = cols,
                 .phases = phases,
                 .phase_stride = plan_.phase_stride,
                 .line = phases + kSplitPhases * plan_.phase_stride,
                 .skip = to.begin + skip_ - blocks.begin * unit(),
                 .add = row_of(out_.add, r),
                 .sum = row_of(out_.sum, r),
                 .divisor = out_.divisor,
                 .y = to_.row(r) + to.begin,
                 .y_cols = to.size()});
  }
}

}  // namespace kani::cpu
