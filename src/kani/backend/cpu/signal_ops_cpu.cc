// signal_ops_cpu.cc - see signal_ops_cpu.h.
// A convolution is cut into blocks of output rows times tiles of time; a thread computes whole
// blocks, so every output is made by one thread in one order.  An activation behind the convolution
// is applied to a block while it is still in the first cache.
#include "kani/backend/cpu/signal_ops_cpu.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/base/buffer.h"

namespace kani::cpu {
namespace {

constexpr size_t kFloatsPerLine = 16;

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }
size_t round_up(size_t a, size_t unit) { return divide_up(a, unit) * unit; }

// Rows of a convolution cut into as few blocks as fit the kernel, as even as they go: a block of
// two rows behind blocks of nine would waste most of its loads.
class RowBlocks {
 public:
  RowBlocks(size_t rows, size_t most)
      : count_(divide_up(rows, most)), least_(rows / count_), larger_(rows % count_) {}
  size_t count() const { return count_; }
  size_t first(size_t block) const { return block * least_ + std::min(block, larger_); }
  size_t rows(size_t block) const { return least_ + (block < larger_ ? 1 : 0); }
  // An order of blocks whose every part holds as many of the first half as of the second: a
  // half-snake behind the convolution has its sines in the first half of the rows, and they would
  // all fall to the first thread.
  size_t mixed(size_t index) const {
    return index % 2 == 0 ? index / 2 : (count_ + 1) / 2 + index / 2;
  }

 private:
  size_t count_;
  size_t least_;
  size_t larger_;  // so many blocks at the front have one row more
};

class CpuMemory final : public SignalMemory {
 public:
  explicit CpuMemory(size_t floats) : buffer_(floats) {}
  float* data() override { return buffer_.data(); }
  size_t size() const override { return buffer_.size(); }

 private:
  Buffer<float> buffer_;
};

class CpuSignalOps final : public SignalOps {
 public:
  CpuSignalOps(ThreadPool& pool, Isa limit) : pool_(pool), table_(signal_table(limit)) {}

  std::unique_ptr<SignalMemory> allocate(size_t floats) override {
    return std::make_unique<CpuMemory>(floats);
  }
  void upload(ConstMatrix host, Matrix to) override { copy(host, to); }
  void download(ConstMatrix from, Matrix host) override { copy(from, host); }
  void copy(ConstMatrix from, Matrix to) override;
  size_t row_stride(size_t cols) const override;

  size_t packed_size(const ConvShape& s) const override {
    return round_up(s.outputs * (s.inputs * s.taps + 1), kAlignment);
  }
  void pack_conv(const ConvShape& shape, std::span<const float> weight, std::span<const float> bias,
                 float* packed) override;

  void causal_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) override;
  void half_snake(const HalfSnake& activation, ConstMatrix x, Matrix y) override;
  void upsample(const Upsampler& up, ConstMatrix x, Matrix y) override;
  void split_phases(ConstMatrix x, Matrix y) override;

 private:
  // Columns and (mixed) row blocks of one thread.
  struct Part {
    size_t col_begin, col_end;
    size_t block_begin, block_end;
  };
  bool split_by_time(size_t cols) const;
  void conv_part(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                 const Part& part) const;
  struct Tile {
    size_t row, rows;
    size_t col, cols;
  };
  void conv_tile(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                 const Tile& tile) const;
  void activate(const HalfSnake& activation, ConstMatrix x, size_t first_row, Matrix y) const;

  ThreadPool& pool_;
  SignalTable table_;
};

void CpuSignalOps::copy(ConstMatrix from, Matrix to) {
  assert(from.rows() == to.rows() && from.cols() == to.cols());
  if (from.cols() == 0) return;
  for (size_t row = 0; row < from.rows(); ++row) {
    std::memmove(to.row(row), from.row(row), from.cols() * sizeof(float));
  }
}

// An odd number of cache lines: rows at multiples of a power of two would fall into few sets of the
// caches and throw each other out.
size_t CpuSignalOps::row_stride(size_t cols) const {
  return (divide_up(cols, kFloatsPerLine) | 1) * kFloatsPerLine;
}

// All weights, block by block as [inputs][taps][rows of the block], then the biases.
void CpuSignalOps::pack_conv(const ConvShape& shape, std::span<const float> weight,
                             std::span<const float> bias, float* packed) {
  const size_t terms = shape.inputs * shape.taps;
  assert(weight.size() == shape.outputs * terms && bias.size() == shape.outputs);
  const RowBlocks blocks(shape.outputs, table_.conv.rows);
  pool_.parallel_for(blocks.count(), 1, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; ++b) {
      const size_t first = blocks.first(b);
      const size_t rows = blocks.rows(b);
      float* to = packed + first * terms;
      for (size_t r = 0; r < rows; ++r) {
        const float* from = weight.data() + (first + r) * terms;
        for (size_t k = 0; k < terms; ++k) to[k * rows + r] = from[k];
      }
    }
  });
  std::copy(bias.begin(), bias.end(), packed + shape.outputs * terms);
}

void CpuSignalOps::causal_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) {
  const ConvShape& shape = conv.shape;
  const size_t cols = out.y.data() != nullptr ? out.y.cols() : out.activated.cols();
  if (cols == 0) return;
  assert(x.rows() == shape.inputs && x.cols() == shape.history() + cols);
  assert(out.y.data() != nullptr || out.activation != nullptr);
  const size_t blocks = RowBlocks(shape.outputs, table_.conv.rows).count();
  if (split_by_time(cols)) {
    pool_.parallel_for(cols, kFloatsPerLine, [&](size_t begin, size_t end) {
      conv_part(conv, x, out, {begin, end, 0, blocks});
    });
  } else {
    pool_.parallel_for(blocks, 1, [&](size_t begin, size_t end) {
      conv_part(conv, x, out, {0, cols, begin, end});
    });
  }
}

// One thread's part.
void CpuSignalOps::conv_part(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                             const Part& part) const {
  // Neighbouring steps share what is larger: a block of weights, which then comes from memory once
  // for all tiles, or a tile of samples, while all the weights stay in the cache.
  constexpr size_t kResidentFloats = size_t{64} << 10;
  const size_t step = table_.conv.cols;
  const RowBlocks blocks(conv.shape.outputs, table_.conv.rows);
  const auto tile = [&](size_t index, size_t col) {
    const size_t block = blocks.mixed(index);
    conv_tile(conv, x, out,
              {blocks.first(block), blocks.rows(block), col, std::min(step, part.col_end - col)});
  };
  if (packed_size(conv.shape) > kResidentFloats) {
    for (size_t index = part.block_begin; index < part.block_end; ++index) {
      for (size_t col = part.col_begin; col < part.col_end; col += step) tile(index, col);
    }
  } else {
    for (size_t col = part.col_begin; col < part.col_end; col += step) {
      for (size_t index = part.block_begin; index < part.block_end; ++index) tile(index, col);
    }
  }
}

void CpuSignalOps::conv_tile(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                             const Tile& tile) const {
  const ConvShape& shape = conv.shape;
  const auto [row, rows, col, cols] = tile;
  const Matrix to = out.y.data() != nullptr ? out.y : out.activated;
  const size_t terms = shape.inputs * shape.taps;
  const auto corner = [&tile](ConstMatrix m) {
    return m.data() == nullptr ? nullptr : m.row(tile.row) + tile.col;
  };
  table_.conv.run({.weight = conv.packed + row * terms,
                   .bias = conv.packed + shape.outputs * terms + row,
                   .x = x.data() + col,
                   .x_stride = x.stride(),
                   .inputs = shape.inputs,
                   .taps = shape.taps,
                   .dilation = shape.dilation,
                   .add = corner(out.add),
                   .add_stride = out.add.stride(),
                   .sum = corner(out.sum),
                   .sum_stride = out.sum.stride(),
                   .divisor = out.divisor,
                   .y = to.row(row) + col,
                   .y_stride = to.stride(),
                   .rows = rows,
                   .cols = cols});
  if (out.activation == nullptr) return;
  const Matrix done = to.rows(row, rows).cols(col, cols);
  activate(*out.activation, done, row, out.activated.rows(row, rows).cols(col, cols));
}

// Rows of a signal that starts at channel `first_row`.
void CpuSignalOps::activate(const HalfSnake& activation, ConstMatrix x, size_t first_row,
                            Matrix y) const {
  const size_t snakes = activation.snakes;
  const size_t first_snake = std::min(first_row, snakes);
  table_.half_snake({.x = x.data(),
                     .x_stride = x.stride(),
                     .alpha = activation.alpha + first_snake,
                     .inverse = activation.inverse + first_snake,
                     .snakes = std::min(snakes - first_snake, x.rows()),
                     .y = y.data(),
                     .y_stride = y.stride(),
                     .rows = x.rows(),
                     .cols = x.cols()});
}

void CpuSignalOps::half_snake(const HalfSnake& activation, ConstMatrix x, Matrix y) {
  assert(x.rows() == activation.channels && y.rows() == x.rows() && y.cols() == x.cols());
  if (x.cols() == 0) return;
  if (split_by_time(x.cols())) {
    return pool_.parallel_for(x.cols(), kFloatsPerLine, [&](size_t begin, size_t end) {
      activate(activation, x.cols(begin, end - begin), 0, y.cols(begin, end - begin));
    });
  }
  // A sine costs several times a leaky ReLU: each thread takes as many rows of one half as of the
  // other.
  const size_t half = x.rows() / 2;
  pool_.parallel_for(x.rows() - half, 1, [&](size_t begin, size_t end) {
    const size_t first_end = std::min(end, half);
    if (begin < first_end) {
      const size_t rows = first_end - begin;
      activate(activation, x.rows(begin, rows), begin, y.rows(begin, rows));
    }
    activate(activation, x.rows(half + begin, end - begin), half + begin,
             y.rows(half + begin, end - begin));
  });
}

void CpuSignalOps::upsample(const Upsampler& up, ConstMatrix x, Matrix y) {
  if (y.cols() == 0) return;
  assert(x.rows() == 2 * up.outputs && y.rows() == up.outputs);
  assert(y.cols() == (x.cols() - 1) * up.rate);
  const auto part = [&](size_t row_begin, size_t row_end, size_t begin, size_t end) {
    for (size_t o = row_begin; o < row_end; ++o) {
      table_.upsample({.a = x.row(2 * o) + begin,
                       .b = x.row(2 * o + 1) + begin,
                       .weight = up.weight + o * 4 * up.rate,
                       .bias = up.bias[o],
                       .rate = up.rate,
                       .cols = end - begin,
                       .y = y.row(o) + begin * up.rate});
    }
  };
  if (split_by_time(y.cols())) {
    return pool_.parallel_for(x.cols() - 1, 1,
                              [&](size_t begin, size_t end) { part(0, up.outputs, begin, end); });
  }
  pool_.parallel_for(up.outputs, 1,
                     [&](size_t begin, size_t end) { part(begin, end, 0, x.cols() - 1); });
}

// Once per stage of the encoder, a hundredth of what a convolution there costs: no kernel.
void CpuSignalOps::split_phases(ConstMatrix x, Matrix y) {
  if (y.cols() == 0) return;
  const size_t rate = y.rows() / x.rows();
  assert(y.rows() == x.rows() * rate && x.cols() == y.cols() * rate);
  pool_.parallel_for(y.rows(), 1, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const float* from = x.row(row / rate) + row % rate;
      float* to = y.row(row);
      for (size_t t = 0; t < y.cols(); ++t) to[t] = from[t * rate];
    }
  });
}

// By time, a thread reads what it wrote itself a step earlier, and only the history at its border
// was in another core's cache; by rows, half of what it reads was.  But few cache lines of columns
// do not share out evenly, and the widest layers have few: they go by rows.
bool CpuSignalOps::split_by_time(size_t cols) const {
  constexpr size_t kFewLines = 6;
  return cols >= kFewLines * kFloatsPerLine * static_cast<size_t>(pool_.size());
}

void overlay(SignalTable& table, const SignalTable& better) {
  if (better.conv.run != nullptr) table.conv = better.conv;
  if (better.half_snake != nullptr) table.half_snake = better.half_snake;
  if (better.upsample != nullptr) table.upsample = better.upsample;
}

}  // namespace

SignalTable signal_table(Isa limit) {
  SignalTable table = kSignalScalar;
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(table, kSignalAvx2);
  if (isa_allows(limit, Isa::kAvx512)) overlay(table, kSignalAvx512);
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) overlay(table, kSignalNeon);
#endif
  return table;
}

std::unique_ptr<SignalOps> make_signal_ops(ThreadPool& pool, Isa limit) {
  return std::make_unique<CpuSignalOps>(pool, limit);
}

}  // namespace kani::cpu
