// split_simd.h - bodies of the two kernels around a split convolution's products, written once over
// simd.h and included by each ISA file.  The reference is signal_scalar.cc; the bits are the same.
// Legend: see signal_kernels.h.
#pragma once

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

namespace kani::cpu {
namespace {

// `kD` adjacent floats, or `d` where kD is 0: a length that the compiler knows is one or two moves.
template <size_t kD>
inline void copy_run(const float* from, float* to, size_t d) {
  if constexpr (kD > 0) {
    __builtin_memcpy(to, from, kD * sizeof(float));
  } else {
    for (size_t i = 0; i < d; ++i) to[i] = from[i];
  }
}

// phases[i][q * d + c] = x[(4q + i) * d + c], or the way back.
template <size_t kD, bool kBack>
void deal(float* x, float* phases, size_t stride, size_t blocks, size_t dilation) noexcept {
  const size_t d = kD > 0 ? kD : dilation;
  size_t q = 0;
  if constexpr (kD == 1) {
    for (; q + 4 <= blocks; q += 4) {
      if constexpr (kBack) {
        turn4(phases + q, stride, x + 4 * q, 4);
      } else {
        turn4(x + 4 * q, 4, phases + q, stride);
      }
    }
  }
  for (; q < blocks; ++q) {
    for (size_t i = 0; i < kSplitPhases; ++i) {
      float* run = x + (q * kSplitPhases + i) * d;
      float* phase = phases + i * stride + q * d;
      copy_run<kD>(kBack ? phase : run, kBack ? run : phase, d);
    }
  }
}

// The dilations of the released models are known to the compiler.
template <bool kBack>
void deal(float* x, float* phases, size_t stride, size_t blocks, size_t d) noexcept {
  if (d == 1) return deal<1, kBack>(x, phases, stride, blocks, d);
  if (d == 3) return deal<3, kBack>(x, phases, stride, blocks, d);
  if (d == 5) return deal<5, kBack>(x, phases, stride, blocks, d);
  deal<0, kBack>(x, phases, stride, blocks, d);
}

void split(const SplitRow& a) noexcept {
  const size_t d = a.dilation;
  // Only read: one body serves both ways.
  deal<false>(const_cast<float*>(a.x), a.phases, a.phase_stride, a.cols / d + 1, d);
  for (size_t p = 0; p < a.cols; p += kLanes) {
    const auto s = [&](size_t i) {
      return load(a.phases + i % kSplitPhases * a.phase_stride + i / kSplitPhases * d + p);
    };
    const auto half = [&](size_t k, Vec one, Vec two, Vec three) {
      float* v = a.v + k * a.v_stride + p;
      store(v, one - two);
      store(v + a.v_stride, two);
      store(v + 2 * a.v_stride, two - three);
    };
    const Vec s2 = s(2), s3 = s(3), s4 = s(4), middle = s2 - s4;
    half(0, s(0) - s2, s(1) - s3, middle);
    half(3, s2, s3, s4);
    half(6, middle, s3 - s(5), s4 - s(6));
  }
}

void join(const JoinRow& a) noexcept {
  for (size_t p = 0; p < a.cols; p += kLanes) {
    const auto m = [&](size_t k) { return load(a.m + k * a.m_stride + p); };
    const auto put = [&](size_t i, Vec v) { store(a.phases + i * a.phase_stride + p, v); };
    const Vec m1 = m(1), m4 = m(4), m7 = m(7);
    const Vec early = m(3) + m4, late = m4 - m(5);
    put(0, (m(0) + m1) + early);
    put(1, (m1 - m(2)) + late);
    put(2, early - (m(6) + m7));
    put(3, late - (m7 - m(8)));
  }
  deal<true>(a.line, a.phases, a.phase_stride, a.cols / a.dilation, a.dilation);
  const Vec divisor = set1(a.divisor);
  for_lanes(a.y_cols, [&](size_t t, size_t n) {
    Vec v = load_n(a.line + a.skip + t, n);
    if (a.add != nullptr) v = v + load_n(a.add + t, n);
    if (a.sum != nullptr) v = v + load_n(a.sum + t, n);
    if (a.divisor != 1) v = v / divisor;
    store_n(a.y + t, v, n);
  });
}

}  // namespace
}  // namespace kani::cpu
