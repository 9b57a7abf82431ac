// signal_ops_cpu.cc - see signal_ops_cpu.h.
// A convolution is cut into blocks of output rows times tiles of time; a thread computes whole
// blocks, so every output is made by one thread in one order.  An activation behind the convolution
// is applied to a block while it is still in the first cache; one that writes cells needs several
// rows at once and follows when all blocks of a tile's columns are done.
#include "kani/backend/cpu/signal_ops_cpu.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/backend/cpu/packed_weights.h"
#include "kani/backend/cpu/split_conv.h"
#include "kani/base/buffer.h"

namespace kani::cpu {
namespace {

constexpr size_t kFloatsPerLine = 16;

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }
size_t round_up(size_t a, size_t unit) { return divide_up(a, unit) * unit; }

class CpuMemory final : public SignalMemory {
 public:
  explicit CpuMemory(size_t floats) : buffer_(floats) {}
  float* data() override { return buffer_.data(); }
  size_t size() const override { return buffer_.size(); }

 private:
  Buffer<float> buffer_;
};

const ConvKernel& pick(const SignalTable& table, SignalType type) {
  if (type == SignalType::kBf16) return table.conv_bf16;
  return type == SignalType::kI8 ? table.conv_i8 : table.conv;
}

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

  SignalType fast_type(SignalType wanted) const override;
  bool split_pays(const ConvShape& shape, size_t columns) const override;
  size_t packed_size(const ConvShape& s) const override {
    return round_up(s.outputs * (packed_row(s) + 1), kAlignment);
  }
  void pack_conv(const ConvShape& shape, std::span<const float> weight, std::span<const float> bias,
                 float* packed) override;

  void causal_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) override;
  void half_snake(const HalfSnake& activation, ConstMatrix x, Matrix y) override;
  void upsample(const Upsampler& up, ConstMatrix x, Matrix y) override;
  void split_phases(ConstMatrix x, Matrix y) override;

 private:
  using Range = SplitConv::Range;
  // Columns and (mixed) row blocks of one thread.
  struct Part {
    size_t thread;
    Range cols;
    Range blocks;
  };
  // ThreadPool::parallel_for() for a body that needs to know its thread.
  template <typename Body>
  void for_parts(size_t count, size_t grain, Body body) const;
  bool split_by_time(size_t cols) const;
  const ConvKernel& kernel(SignalType type) const { return pick(table_, type); }
  void conv_part(const CausalConv& conv, ConstMatrix x, const ConvOutput& out, const Part& part);
  struct Tile {
    size_t row, rows;
    size_t col, cols;
  };
  void conv_tile(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                 const Tile& tile) const;
  void split_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out);
  void activate(const HalfSnake& activation, ConstMatrix x, size_t first_row, Matrix y) const;
  void make_room(const HalfSnake& activation);
  void make_room(size_t floats);
  float* room(size_t thread) { return rooms_.data() + thread * room_; }
  void pack_cells(const HalfSnake& activation, ConstMatrix x, Matrix y);
  void pack_columns(const HalfSnake& activation, ConstMatrix x, Matrix y, size_t thread,
                    Range cols);
  void pack_rows(const HalfSnake& activation, ConstMatrix x, Matrix y, Range cells) const;

  ThreadPool& pool_;
  SignalTable table_;
  size_t room_ = 0;      // floats of work space for each thread
  Buffer<float> rooms_;  // for activations with scales and split convolutions
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

// A type is fast if some level has a kernel that is not the plain loops.
SignalType CpuSignalOps::fast_type(SignalType wanted) const {
  const bool fast = kernel(wanted).run != pick(kSignalScalar, wanted).run;
  return fast ? wanted : SignalType::kF32;
}

// Measured in one thread of a Zen 3 (docs/performance.md): with three taps the additions outweigh
// what is saved in narrow layers; and where a frame has few columns, most of a block of columns
// would be computed for nothing, with weights that are 2.4 times as many.
bool CpuSignalOps::split_pays(const ConvShape& s, size_t columns) const {
  constexpr size_t kLeastInputs = 24, kLeastOfThreeTaps = 96, kLeastColumns = 40;
  return s.type == SignalType::kF32 && table_.split != kSignalScalar.split &&
         s.inputs >= (s.taps >= 7 ? kLeastInputs : kLeastOfThreeTaps) && s.taps >= 3 &&
         columns >= kLeastColumns * s.dilation;
}

// All weights, block by block, then the biases.
void CpuSignalOps::pack_conv(const ConvShape& shape, std::span<const float> weight,
                             std::span<const float> bias, float* packed) {
  const size_t terms = shape.inputs * shape.taps;
  assert(weight.size() == shape.outputs * terms && bias.size() == shape.outputs);
  if (shape.split) make_room(SplitConv::room(table_, shape));  // so that no call has to later
  const RowBlocks blocks(shape.outputs, kernel(shape.type).rows);
  pool_.parallel_for(blocks.count(), 1, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; ++b) {
      const size_t first = blocks.first(b);
      const size_t rows = blocks.rows(b);
      for (size_t r = 0; r < rows; ++r) {
        pack_row(shape, weight.data() + (first + r) * terms,
                 {packed + first * packed_row(shape), rows, r});
      }
    }
  });
  std::copy(bias.begin(), bias.end(), packed + shape.outputs * packed_row(shape));
}

// Where the activations of one group of columns wait for their scale.
void CpuSignalOps::make_room(const HalfSnake& activation) {
  if (activation.type == SignalType::kI8) make_room(activation.channels * kPackLanes);
}

void CpuSignalOps::make_room(size_t floats) {
  if (floats <= room_) return;
  rooms_ = Buffer<float>(floats * static_cast<size_t>(pool_.size()));
  room_ = floats;
}

template <typename Body>
void CpuSignalOps::for_parts(size_t count, size_t grain, Body body) const {
  if (count <= grain) return body(size_t{0}, Range{0, count});
  const auto threads = static_cast<size_t>(pool_.size());
  const size_t share = divide_up(divide_up(count, grain), threads) * grain;
  pool_.parallel_for(threads, 1, [&](size_t thread, size_t) {
    const Range range{std::min(thread * share, count), std::min((thread + 1) * share, count)};
    if (range.size() > 0) body(thread, range);
  });
}

void CpuSignalOps::causal_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) {
  const ConvShape& shape = conv.shape;
  const size_t cols = out.y.data() != nullptr ? out.y.cols() : out.activated.cols();
  if (cols == 0) return;
  assert(x.rows() == signal_rows(shape.type, shape.inputs));
  assert(x.cols() == shape.history() + cols);
  const bool cells = out.activation != nullptr && out.activation->type != SignalType::kF32;
  assert(out.y.data() != nullptr || (out.activation != nullptr && !cells));
  if (cells) make_room(*out.activation);
  if (shape.split) {
    split_conv(conv, x, out);
    if (cells) pack_cells(*out.activation, out.y, out.activated);
    return;
  }
  const size_t blocks = RowBlocks(shape.outputs, kernel(shape.type).rows).count();
  if (split_by_time(cols)) {
    for_parts(cols, kFloatsPerLine, [&](size_t thread, Range range) {
      conv_part(conv, x, out, {thread, range, {0, blocks}});
    });
  } else {
    for_parts(blocks, 1, [&](size_t thread, Range range) {
      conv_part(conv, x, out, {thread, {0, cols}, range});
    });
    if (cells) pack_cells(*out.activation, out.y, out.activated);
  }
}

// One thread's part.
void CpuSignalOps::conv_part(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                             const Part& part) {
  // Neighbouring steps share what is larger: a block of weights, which then comes from memory once
  // for all tiles, or a tile of samples, while all the weights stay in the cache.
  constexpr size_t kResidentFloats = size_t{64} << 10;
  const ConvKernel& kernel = this->kernel(conv.shape.type);
  const RowBlocks blocks(conv.shape.outputs, kernel.rows);
  const auto tile = [&](size_t index, Range cols) {
    const size_t block = blocks.mixed(index);
    conv_tile(conv, x, out, {blocks.first(block), blocks.rows(block), cols.begin, cols.size()});
  };
  const bool whole = part.blocks.size() == blocks.count();
  const bool cells = whole && out.activation != nullptr && out.activation->type != SignalType::kF32;
  const auto pack = [&](Range cols) {
    if (cells) pack_columns(*out.activation, out.y, out.activated, part.thread, cols);
  };
  const bool weights_stay = packed_size(conv.shape) <= kResidentFloats;
  const auto next = [&](size_t col) { return std::min(col + kernel.cols, part.cols.end); };
  if (weights_stay) {
    for (size_t col = part.cols.begin; col < part.cols.end; col = next(col)) {
      for (size_t i = part.blocks.begin; i < part.blocks.end; ++i) tile(i, {col, next(col)});
      pack({col, next(col)});
    }
    return;
  }
  for (size_t i = part.blocks.begin; i < part.blocks.end; ++i) {
    for (size_t col = part.cols.begin; col < part.cols.end; col = next(col)) {
      tile(i, {col, next(col)});
    }
  }
  pack(part.cols);
}

void CpuSignalOps::conv_tile(const CausalConv& conv, ConstMatrix x, const ConvOutput& out,
                             const Tile& tile) const {
  const ConvShape& shape = conv.shape;
  const auto [row, rows, col, cols] = tile;
  const Matrix to = out.y.data() != nullptr ? out.y : out.activated;
  const auto corner = [&tile](ConstMatrix m) {
    return m.data() == nullptr ? nullptr : m.row(tile.row) + tile.col;
  };
  kernel(shape.type)
      .run({.weight = conv.packed + row * packed_row(shape),
            .bias = conv.packed + shape.outputs * packed_row(shape) + row,
            .x = x.data() + col,
            .x_stride = x.stride(),
            .inputs = channel_cells(shape.type, shape.inputs),
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
  if (out.activation == nullptr || out.activation->type != SignalType::kF32) return;
  const Matrix done = to.rows(row, rows).cols(col, cols);
  activate(*out.activation, done, row, out.activated.rows(row, rows).cols(col, cols));
}

// A split convolution: some blocks of columns of all inputs are split, then all rows summed.  By
// time each thread splits what it needs; by rows all of them split one signal and then share it.
void CpuSignalOps::split_conv(const CausalConv& conv, ConstMatrix x, const ConvOutput& out) {
  const ConvShape& shape = conv.shape;
  const SplitConv split(table_, conv, x, out);
  make_room(SplitConv::room(table_, shape));
  const RowBlocks rows(shape.outputs, table_.conv.rows);
  const auto sum = [&](size_t index, Range blocks, size_t from, size_t thread) {
    const size_t block = rows.mixed(index), row = rows.first(block), count = rows.rows(block);
    split.sum({row, row + count}, blocks, room(from), room(thread));
    if (out.activation == nullptr || out.activation->type != SignalType::kF32) return;
    const auto [begin, end] = split.columns(blocks);
    const Matrix to = out.y.data() != nullptr ? out.y : out.activated;
    activate(*out.activation, to.rows(row, count).cols(begin, end - begin), row,
             out.activated.rows(row, count).cols(begin, end - begin));
  };
  const auto for_blocks = [&](Range blocks, auto body) {
    const size_t most = SplitConv::most_blocks(table_, shape);
    for (size_t block = blocks.begin; block < blocks.end; block += most) {
      body(Range{block, std::min(block + most, blocks.end)});
    }
  };
  if (split_by_time(split.columns({0, split.blocks()}).size())) {
    const size_t grain = divide_up(kFloatsPerLine, split.unit());
    return for_parts(split.blocks(), grain, [&](size_t thread, Range own) {
      for_blocks(own, [&](Range blocks) {
        split.split({0, shape.inputs}, blocks, room(thread), room(thread));
        for (size_t i = 0; i < rows.count(); ++i) sum(i, blocks, thread, thread);
      });
    });
  }
  for_blocks({0, split.blocks()}, [&](Range blocks) {
    for_parts(shape.inputs, 1, [&](size_t thread, Range inputs) {
      split.split(inputs, blocks, room(0), room(thread));
    });
    for_parts(rows.count(), 1, [&](size_t thread, Range some) {
      for (size_t i = some.begin; i < some.end; ++i) sum(i, blocks, 0, thread);
    });
  });
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

// All columns, with whatever threads the type lets work.
void CpuSignalOps::pack_cells(const HalfSnake& activation, ConstMatrix x, Matrix y) {
  if (split_by_time(x.cols()) || activation.type == SignalType::kI8) {
    return for_parts(x.cols(), kFloatsPerLine, [&](size_t thread, Range cols) {
      pack_columns(activation, x, y, thread, cols);
    });
  }
  // As half_snake() shares out its rows, in whole cells.
  const size_t half = y.rows() / 2;
  pool_.parallel_for(y.rows() - half, 1, [&](size_t begin, size_t end) {
    pack_rows(activation, x, y, {begin, std::min(end, half)});
    pack_rows(activation, x, y, {half + begin, half + end});
  });
}

// Some columns of all channels.
void CpuSignalOps::pack_columns(const HalfSnake& activation, ConstMatrix x, Matrix y, size_t thread,
                                Range cols) {
  const bool scales = activation.type == SignalType::kI8;
  assert(!scales || x.rows() * kPackLanes <= room_);
  const auto pack = scales ? table_.pack_i8 : table_.pack_bf16;
  pack({.x = x.data() + cols.begin,
        .x_stride = x.stride(),
        .alpha = activation.alpha,
        .inverse = activation.inverse,
        .snakes = activation.snakes,
        .y = y.data() + cols.begin,
        .y_stride = y.stride(),
        .rows = x.rows(),
        .cols = cols.size(),
        .room = scales ? room(thread) : nullptr});
}

// All columns of some rows of kBf16 cells.
void CpuSignalOps::pack_rows(const HalfSnake& activation, ConstMatrix x, Matrix y,
                             Range cells) const {
  if (cells.begin >= cells.end) return;
  const size_t first = 2 * cells.begin, end = std::min(2 * cells.end, x.rows());
  const size_t first_snake = std::min(first, activation.snakes);
  table_.pack_bf16({.x = x.row(first),
                    .x_stride = x.stride(),
                    .alpha = activation.alpha + first_snake,
                    .inverse = activation.inverse + first_snake,
                    .snakes = activation.snakes - first_snake,
                    .y = y.row(cells.begin),
                    .y_stride = y.stride(),
                    .rows = end - first,
                    .cols = x.cols(),
                    .room = nullptr});
}

void CpuSignalOps::half_snake(const HalfSnake& activation, ConstMatrix x, Matrix y) {
  assert(x.rows() == activation.channels && y.cols() == x.cols());
  assert(y.rows() == signal_rows(activation.type, x.rows()));
  if (x.cols() == 0) return;
  if (activation.type != SignalType::kF32) {
    make_room(activation);
    return pack_cells(activation, x, y);
  }
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
  if (better.split != nullptr) table.split = better.split;
  if (better.join != nullptr) table.join = better.join;
  if (better.half_snake != nullptr) table.half_snake = better.half_snake;
  if (better.upsample != nullptr) table.upsample = better.upsample;
  if (better.conv_bf16.run != nullptr) table.conv_bf16 = better.conv_bf16;
  if (better.pack_bf16 != nullptr) table.pack_bf16 = better.pack_bf16;
  if (better.conv_i8.run != nullptr) table.conv_i8 = better.conv_i8;
  if (better.pack_i8 != nullptr) table.pack_i8 = better.pack_i8;
}

}  // namespace

SignalTable signal_table(Isa limit) {
  SignalTable table = kSignalScalar;
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(table, kSignalAvx2);
  if (isa_allows(limit, Isa::kAvx512)) overlay(table, kSignalAvx512);
  if (isa_allows(limit, Isa::kAvx512Vnni)) overlay(table, kSignalAvx512Vnni);
  if (isa_allows(limit, Isa::kAvx512Bf16)) overlay(table, kSignalAvx512Bf16);
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) overlay(table, kSignalNeon);
#endif
  return table;
}

std::unique_ptr<SignalOps> make_signal_ops(ThreadPool& pool, Isa limit) {
  return std::make_unique<CpuSignalOps>(pool, limit);
}

}  // namespace kani::cpu
