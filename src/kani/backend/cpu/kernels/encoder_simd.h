// encoder_simd.h - bodies of the speaker encoder's kernels, written once over simd.h; included by
// each ISA file, which exports them through its table.  The reference is encoder_scalar.cc.
#pragma once

#include <cmath>

#include "kani/backend/cpu/kernels/encoder_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

// The loops over rows and registers have constant bounds; unrolled, their arrays are registers.
#define KANI_UNROLL _Pragma("GCC unroll 16")

namespace kani::cpu {
namespace {

// Products
// ------------------------------------------------------------------------------------------------

// Rows by registers that stay in the register file over the whole of k: with each k one register
// of x per row and kTileVecs of the panel are read for kTileRows * kTileVecs multiply-adds.
#if defined(__AVX512F__)
constexpr size_t kTileRows = 12, kTileVecs = 2;
#elif defined(__AVX2__)
constexpr size_t kTileRows = 6, kTileVecs = 2;
#else
constexpr size_t kTileRows = 6, kTileVecs = 4;
#endif

template <size_t kRows>
void panel_tile(const PanelArgs& a, size_t first) noexcept {
  const float* x = a.x + first * a.step;
  for (size_t col = 0; col < kPanel; col += kTileVecs * kLanes) {
    float* v = a.v + first * kPanel + col;
    Vec acc[kRows][kTileVecs];
    KANI_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      KANI_UNROLL
      for (size_t i = 0; i < kTileVecs; ++i)
        acc[r][i] = a.resume ? load(v + r * kPanel + i * kLanes) : zero();
    }
    const float* w = a.panel + col;
    for (size_t k = 0; k < a.cols; ++k, w += kPanel) {
      Vec weights[kTileVecs];
      KANI_UNROLL
      for (size_t i = 0; i < kTileVecs; ++i) weights[i] = load(w + i * kLanes);
      KANI_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        const Vec value = set1(x[r * a.step + k]);
        KANI_UNROLL
        for (size_t i = 0; i < kTileVecs; ++i) acc[r][i] = fma(value, weights[i], acc[r][i]);
      }
    }
    KANI_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      KANI_UNROLL
      for (size_t i = 0; i < kTileVecs; ++i) store(v + r * kPanel + i * kLanes, acc[r][i]);
    }
  }
}

template <size_t kRows>
void panel_rest(const PanelArgs& a, size_t first) noexcept {
  if constexpr (kRows > 0) {
    if (a.rows - first == kRows) return panel_tile<kRows>(a, first);
    panel_rest<kRows - 1>(a, first);
  }
}

inline void panel_f32(const PanelArgs& a) noexcept {
  size_t first = 0;
  for (; first + kTileRows <= a.rows; first += kTileRows) panel_tile<kTileRows>(a, first);
  panel_rest<kTileRows - 1>(a, first);
}

// Rows
// ------------------------------------------------------------------------------------------------

inline Vec absolute(Vec x) { return max(x, zero() - x); }

// erfc(z) = exp(-z q(z)) with q a polynomial of degree 7 fitted on [0, 4]: 2e-8 off at most.  So
// gelu(x) = max(x, 0) - |x|/2 erfc(|x|/sqrt 2) needs no case for the sign and stays exact far out.
inline Vec gelu(Vec x) {
  const Vec size = absolute(x);
  const Vec z = min(size * set1(0.70710678F), set1(4.0F));
  Vec q = set1(3.144013317e-5F);
  q = fma(q, z, set1(-3.088018e-4F));
  q = fma(q, z, set1(1.03240006e-3F));
  q = fma(q, z, set1(5.36936452e-4F));
  q = fma(q, z, set1(-1.95839629e-2F));
  q = fma(q, z, set1(1.02919616e-1F));
  q = fma(q, z, set1(6.36597753e-1F));
  q = fma(q, z, set1(1.1283803F));
  const Vec tail = exp(zero() - z * q);
  // Beyond 4 sqrt 2 the tail is 1.5e-8 and must not be multiplied by more.
  return fma(min(size, set1(5.6568542F)) * set1(-0.5F), tail, max(x, zero()));
}

inline void finish(const FinishArgs& a) noexcept {
  const bool with_gelu = a.end == RowEnd::kGelu || a.end == RowEnd::kGeluAdd;
  const bool add = a.end == RowEnd::kAdd || a.end == RowEnd::kGeluAdd;
  for (size_t t = 0; t < a.rows; ++t) {
    const float* v = a.v + t * kPanel;
    float* y = a.y + t * a.step;
    for_lanes(a.n, [&](size_t i, size_t count) {
      Vec value = load_n(v + i, count);
      if (a.bias != nullptr) value = value + load_n(a.bias + i, count);
      if (with_gelu) value = gelu(value);
      if (add) value = value + load_n(y + i, count);
      store_n(y + i, value, count);
    });
  }
}

// Four rows by four columns at a time, turned in registers.
inline void to_panel(const float* w, size_t step, size_t rows, size_t cols, float* panel) noexcept {
  const size_t even_rows = rows / 4 * 4, even_cols = cols / 4 * 4;
  for (size_t k = 0; k < even_cols; k += 4) {
    for (size_t r = 0; r < even_rows; r += 4)
      turn4(w + r * step + k, step, panel + k * kPanel + r, kPanel);
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t k = r < even_rows ? even_cols : 0; k < cols; ++k)
      __builtin_memcpy(panel + k * kPanel + r, w + r * step + k, sizeof(float));
  }
}

inline void layer_norm(const float* x, const float* w, const float* b, float eps, bool with_gelu,
                       size_t n, float* y) noexcept {
  Vec total = zero();
  for_lanes(n, [&](size_t i, size_t count) { total = total + load_n(x + i, count); });
  const float mean = sum(total) / static_cast<float>(n);
  Vec squares = zero();
  for_lanes(n, [&](size_t i, size_t count) {
    // The lanes beyond a rest must not count as -mean.
    const Vec value = load_n(x + i, count) - set1(mean);
    if (count == kLanes) {
      squares = fma(value, value, squares);
    } else {
      for (size_t j = 0; j < count; ++j) {
        const float one = x[i + j] - mean;
        float lane[kLanes] = {one * one};
        squares = squares + load(lane);
      }
    }
  });
  const float variance = sum(squares) / static_cast<float>(n);
  const Vec factor = set1(1.0F / std::sqrt(variance + eps)), center = set1(mean);
  for_lanes(n, [&](size_t i, size_t count) {
    const Vec value = (load_n(x + i, count) - center) * factor;
    const Vec scaled = fma(value, load_n(w + i, count), load_n(b + i, count));
    store_n(y + i, with_gelu ? gelu(scaled) : scaled, count);
  });
}

inline float biased_softmax(float* s, size_t n, float scale, float gate,
                            const float* bias) noexcept {
  const Vec factor = set1(scale), weight = set1(gate);
  Vec top = set1(s[0] * scale + gate * bias[0]);
  for_lanes(n, [&](size_t j, size_t count) {
    const Vec score = fma(weight, load_n(bias + j, count), load_n(s + j, count) * factor);
    store_n(s + j, score, count);
    if (count == kLanes) {
      top = max(top, score);
    } else {
      for (size_t i = 0; i < count; ++i) top = max(top, set1(s[j + i]));
    }
  });
  const Vec peak = set1(largest(top));
  Vec total = zero();
  float rest = 0;
  for_lanes(n, [&](size_t j, size_t count) {
    const Vec value = exp(load_n(s + j, count) - peak);
    store_n(s + j, value, count);
    if (count == kLanes) {
      total = total + value;
    } else {
      for (size_t i = 0; i < count; ++i) rest += s[j + i];
    }
  });
  return sum(total) + rest;
}

inline void scale(const float* x, float factor, size_t n, float* y) noexcept {
  const Vec all = set1(factor);
  for_lanes(n, [&](size_t i, size_t count) { store_n(y + i, load_n(x + i, count) * all, count); });
}

inline float dot(const float* a, const float* b, size_t n) noexcept {
  Vec total = zero();
  for_lanes(n, [&](size_t i, size_t count) {
    total = fma(load_n(a + i, count), load_n(b + i, count), total);
  });
  return sum(total);
}

}  // namespace
}  // namespace kani::cpu
