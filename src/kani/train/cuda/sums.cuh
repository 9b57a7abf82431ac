// sums.cuh - the second half of a sum over rows: what each block of a kernel left, added up column
// by column in a fixed order.
#pragma once

#include "kani/train/cuda/kernels.h"
#include "kani/train/cuda/number.cuh"

namespace kani::train::cuda {

/// sums[c] = sum over `rows` of partials[row][c]: a warp's lanes take a column each, its warps
/// every eighth row, then the eight are added.
struct ColumnSums {
  const float* partials;
  int64_t rows, width;
  float* sums;

  static constexpr int kThreads = 8 * kWarp;
  static int64_t blocks(int64_t width) { return (width + kWarp - 1) / kWarp; }

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int64_t first = block.index() * kWarp;
    block.phase([&](int t, float* shared) {
      const int64_t column = first + t % kWarp;
      float sum = 0;
      for (int64_t row = t / kWarp; row < rows && column < width; row += kThreads / kWarp)
        sum += partials[row * width + column];
      shared[t] = sum;
    });
    block.phase([&](int t, const float* shared) {
      const int64_t column = first + t;
      if (t >= kWarp || column >= width) return;
      float sum = 0;
      for (int i = t; i < kThreads; i += kWarp) sum += shared[i];
      sums[column] = sum;
    });
  }
};

template <typename Device>
void column_sums(const float* partials, int64_t rows, int64_t width, float* sums, Stream stream) {
  Device::run(ColumnSums::blocks(width), ColumnSums::kThreads, ColumnSums::kThreads,
              ColumnSums{partials, rows, width, sums}, stream);
}

/// Calls body with a T of the type that is meant.
template <typename Action>
void with_type(Number type, const Action& action) {
  if (type == Number::kF32) {
    action(float{});
  } else {
    action(Bf16{});
  }
}

/// Whether rows of `width` numbers that begin at these places can be read in packs.
template <int kPack = 4, typename... Pointers>
bool packs(int64_t width, Number type, const Pointers*... pointers) {
  const uintptr_t step = kPack * (type == Number::kF32 ? 4 : 2);
  return width % kPack == 0 && ((reinterpret_cast<uintptr_t>(pointers) % step == 0) && ...);
}

}  // namespace kani::train::cuda
