// conv_simd.h - body of the causal convolution with time in the lanes, written once over simd.h and
// included by each ISA file.  The reference is signal_scalar.cc.  Legend: see signal_kernels.h.
//
// A block of rows x (vectors of time) stays in registers over all inputs and taps: each step loads
// the vectors of one input at one tap, unaligned, and broadcasts one weight per row.  With time in
// the lanes a tap or a dilation is only another address, so no width, kernel or dilation needs a
// case of its own, and columns before the block are simply there (signal_ops.h: history).
#pragma once

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

// The loops over rows and registers have constant bounds; unrolled, their arrays are registers.
// Without the pragma g++ leaves some of them rolled below -O3, and the sums in memory.
#define KANI_UNROLL _Pragma("GCC unroll 16")

namespace kani::cpu {
namespace {

/// Full registers, and what the kernel needs to know of them.
struct Wide {
  using V = Vec;
  static constexpr size_t kWidth = kLanes;
  static V at(const float* p) { return load(p); }
  static V at(const float* p, size_t n) { return load_part(p, n); }
  static void put(float* p, V x) { store(p, x); }
  static void put(float* p, V x, size_t n) { store_part(p, x, n); }
  static V all(float x) { return set1(x); }
};

#if defined(__AVX512F__)
/// Half registers for a tail of at most eight columns.  On CPUs that split 512-bit operations (Zen
/// 4) they take half the time, which is what one frame at a time spends in its first stage.
struct HalfVec {
  __m256 v;
};
inline HalfVec operator+(HalfVec a, HalfVec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline HalfVec operator/(HalfVec a, HalfVec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline HalfVec fma(HalfVec a, HalfVec b, HalfVec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
struct Narrow {
  using V = HalfVec;
  static constexpr size_t kWidth = 8;
  static __mmask8 first(size_t n) { return static_cast<__mmask8>((1u << n) - 1); }
  static V at(const float* p) { return {_mm256_loadu_ps(p)}; }
  static V at(const float* p, size_t n) { return {_mm256_maskz_loadu_ps(first(n), p)}; }
  static void put(float* p, V x) { _mm256_storeu_ps(p, x.v); }
  static void put(float* p, V x, size_t n) { _mm256_mask_storeu_ps(p, first(n), x.v); }
  static V all(float x) { return {_mm256_set1_ps(x)}; }
};
#else
using Narrow = Wide;
#endif

// Short blocks use each weight for a few columns only and wait for memory: one frame at a time is 3
// % faster if the weights are asked for this many floats early.
constexpr size_t kAhead = 1024;

/// A cell is a number.
struct Single {
  template <typename V>
  static V add_products(V weight, V cell, V sum) {
    return fma(weight, cell, sum);
  }
};

// y = ((v + add) + sum) / divisor for a block of registers.
template <typename L, size_t kRows, size_t kVecs, bool kPart>
[[gnu::always_inline]] inline void put_block(const ConvTile& a, size_t col, size_t last,
                                             typename L::V (&v)[kRows][kVecs]) noexcept {
  using V = typename L::V;
  constexpr size_t kWidth = L::kWidth;
  const auto get = [last](const float* p, size_t i) {
    return kPart && i + 1 == kVecs ? L::at(p + i * kWidth, last) : L::at(p + i * kWidth);
  };
  const V divisor = L::all(a.divisor);
  KANI_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    float* y = a.y + r * a.y_stride + col;
    KANI_UNROLL
    for (size_t i = 0; i < kVecs; ++i) {
      V value = v[r][i];
      if (a.add != nullptr) value = value + get(a.add + r * a.add_stride + col, i);
      if (a.sum != nullptr) value = value + get(a.sum + r * a.sum_stride + col, i);
      if (a.divisor != 1) value = value / divisor;
      if (kPart && i + 1 == kVecs) {
        L::put(y + i * kWidth, value, last);
      } else {
        L::put(y + i * kWidth, value);
      }
    }
  }
}

// kRows x kVecs registers of output from column `col` on; of the last register only `last` lanes
// exist if kPart.
template <typename Cell, typename L, size_t kRows, size_t kVecs, bool kPart>
void conv_block(const ConvTile& a, size_t col, size_t last) noexcept {
  using V = typename L::V;
  constexpr size_t kWidth = L::kWidth;
  V acc[kRows][kVecs];
  KANI_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) acc[r][v] = L::all(a.bias[r]);
  }
  const float* w = a.weight;
  const float* row = a.x + col;
  for (size_t i = 0; i < a.inputs; ++i, row += a.x_stride) {
    const float* x = row;
    for (size_t j = 0; j < a.taps; ++j, x += a.dilation, w += kRows) {
      if constexpr (kPart) prefetch(w + kAhead);
      V cells[kVecs];
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) {
        const bool part = kPart && v + 1 == kVecs;
        cells[v] = part ? L::at(x + v * kWidth, last) : L::at(x + v * kWidth);
      }
      KANI_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        const V weight = L::all(w[r]);
        KANI_UNROLL
        for (size_t v = 0; v < kVecs; ++v) {
          acc[r][v] = Cell::add_products(weight, cells[v], acc[r][v]);
        }
      }
    }
  }
  put_block<L, kRows, kVecs, kPart>(a, col, last, acc);
}

/// The kernel of one kind of cells for a block of registers.
template <typename Cell>
struct Block {
  template <typename L, size_t kRows, size_t kVecs, bool kPart>
  static void run(const ConvTile& a, size_t col, size_t last) noexcept {
    conv_block<Cell, L, kRows, kVecs, kPart>(a, col, last);
  }
};

// All columns of a tile of exactly kRows rows: whole registers first, kVecs at a time.
template <typename B, size_t kRows, size_t kVecs>
void conv_rows(const ConvTile& a) noexcept {
  size_t col = 0;
  for (; col + kVecs * kLanes <= a.cols; col += kVecs * kLanes) {
    B::template run<Wide, kRows, kVecs, false>(a, col, 0);
  }
  if constexpr (kVecs > 2) {
    if (col + 2 * kLanes <= a.cols) {
      B::template run<Wide, kRows, 2, false>(a, col, 0);
      col += 2 * kLanes;
    }
  }
  if (col + kLanes <= a.cols) {
    B::template run<Wide, kRows, 1, false>(a, col, 0);
    col += kLanes;
  }
  const size_t last = a.cols - col;
  if (last > Narrow::kWidth) {
    B::template run<Wide, kRows, 1, true>(a, col, last);
  } else if (last > 0) {
    B::template run<Narrow, kRows, 1, true>(a, col, last);
  }
}

template <typename B, size_t kMaxRows, size_t kVecs>
void conv(const ConvTile& a) noexcept {
  if constexpr (kMaxRows > 1) {
    if (a.rows < kMaxRows) return conv<B, kMaxRows - 1, kVecs>(a);
  }
  conv_rows<B, kMaxRows, kVecs>(a);
}

}  // namespace
}  // namespace kani::cpu
