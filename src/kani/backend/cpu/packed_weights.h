// packed_weights.h - how a convolution's weights lie in memory: blocks of output rows that a kernel
// takes at once, each in the order in which the kernel reads it (kernels/signal_kernels.h:
// ConvTile).
#pragma once

#include <algorithm>
#include <cstddef>

#include "kani/backend/signal_ops.h"

namespace kani::cpu {

/// Rows of a convolution cut into as few blocks as fit the kernel, as even as they go: a block of
/// two rows behind blocks of nine would waste most of its loads.
class RowBlocks {
 public:
  RowBlocks(size_t rows, size_t most)
      : count_((rows + most - 1) / most), least_(rows / count_), larger_(rows % count_) {}
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

/// Groups of taps that sum number k of a split convolution (kernels/signal_kernels.h: SplitRow) has
/// weights for: one less where those of the first group are all of taps that are not there.
size_t split_groups(const ConvShape& shape, size_t k);

/// Floats of packed weights per output row, without its bias.
size_t packed_row(const ConvShape& shape);

/// Where one row's weights go: number `row` of a block of `rows`.
struct PackedRow {
  float* block;  // [packed_row()][rows]
  size_t rows;
  size_t row;
  float& at(size_t cell) const { return block[cell * rows + row]; }
};

/// One output's weights [inputs, taps], rounded to the shape's type.
void pack_row(const ConvShape& shape, const float* weight, const PackedRow& to);

}  // namespace kani::cpu
