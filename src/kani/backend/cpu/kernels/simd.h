// simd.h - one small vector of floats per instruction set, so that a kernel body is written once
// and compiled for each. Everything lies in an unnamed namespace: each ISA file gets its own copy
// with its own flags and nothing is shared by the linker.  Only ISA kernel files include this
// header.  No scalar version: scalar kernels are plain loops.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace kani::cpu {
namespace {

#if defined(__AVX2__)
/// y[j, i] = x[i, j] for i, j < 4; rows are `x_step` and `y_step` apart.
inline void turn4(const float* x, size_t x_step, float* y, size_t y_step) {
  __m128 a = _mm_loadu_ps(x), b = _mm_loadu_ps(x + x_step), c = _mm_loadu_ps(x + 2 * x_step),
         d = _mm_loadu_ps(x + 3 * x_step);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(y, a);
  _mm_storeu_ps(y + y_step, b);
  _mm_storeu_ps(y + 2 * y_step, c);
  _mm_storeu_ps(y + 3 * y_step, d);
}
#elif defined(__ARM_NEON)
inline void turn4(const float* x, size_t x_step, float* y, size_t y_step) {
  const float32x4x2_t low = vtrnq_f32(vld1q_f32(x), vld1q_f32(x + x_step));
  const float32x4x2_t high = vtrnq_f32(vld1q_f32(x + 2 * x_step), vld1q_f32(x + 3 * x_step));
  vst1q_f32(y, vcombine_f32(vget_low_f32(low.val[0]), vget_low_f32(high.val[0])));
  vst1q_f32(y + y_step, vcombine_f32(vget_low_f32(low.val[1]), vget_low_f32(high.val[1])));
  vst1q_f32(y + 2 * y_step, vcombine_f32(vget_high_f32(low.val[0]), vget_high_f32(high.val[0])));
  vst1q_f32(y + 3 * y_step, vcombine_f32(vget_high_f32(low.val[1]), vget_high_f32(high.val[1])));
}
#endif

#if defined(__AVX512F__)

constexpr size_t kLanes = 16;
struct Vec {
  __m512 v;
};
inline Vec zero() { return {_mm512_setzero_ps()}; }
inline Vec set1(float x) { return {_mm512_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, Vec x) { _mm512_storeu_ps(p, x.v); }
inline __mmask16 first_lanes(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Vec load_part(const float* p, size_t n) {
  return {_mm512_maskz_loadu_ps(first_lanes(n), p)};
}
inline void store_part(float* p, Vec x, size_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x.v); }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
/// a * b + c, rounded once.
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec round_even(Vec a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// a * 2^n for integral n in float form, |n| < 127.
inline Vec scale2(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
inline float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
inline float largest(Vec a) { return _mm512_reduce_max_ps(a.v); }
/// Pairs of bf16 (k even in the low half, k odd in the high half of each lane) as two vectors of
/// floats.
struct Pairs {
  __m512i v;
};
inline Pairs load_pairs(const uint16_t* p) { return {_mm512_loadu_si512(p)}; }
inline Vec even(Pairs p) { return {_mm512_castsi512_ps(_mm512_slli_epi32(p.v, 16))}; }
inline Vec odd(Pairs p) {
  return {
      _mm512_castsi512_ps(_mm512_and_si512(p.v, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))))};
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

#elif defined(__AVX2__)

constexpr size_t kLanes = 8;
struct Vec {
  __m256 v;
};
inline Vec zero() { return {_mm256_setzero_ps()}; }
inline Vec set1(float x) { return {_mm256_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, Vec x) { _mm256_storeu_ps(p, x.v); }
inline __m256i first_lanes(size_t n) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index);
}
inline Vec load_part(const float* p, size_t n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
inline void store_part(float* p, Vec x, size_t n) { _mm256_maskstore_ps(p, first_lanes(n), x.v); }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec round_even(Vec a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline Vec scale2(Vec a, Vec n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return {_mm256_mul_ps(a.v, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
}
inline float sum(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  s = _mm_add_ss(s, _mm_shuffle_ps(s, s, 1));
  return _mm_cvtss_f32(s);
}
inline float largest(Vec a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  s = _mm_max_ss(s, _mm_shuffle_ps(s, s, 1));
  return _mm_cvtss_f32(s);
}
struct Pairs {
  __m256i v;
};
inline Pairs load_pairs(const uint16_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline Vec even(Pairs p) { return {_mm256_castsi256_ps(_mm256_slli_epi32(p.v, 16))}; }
inline Vec odd(Pairs p) {
  return {
      _mm256_castsi256_ps(_mm256_and_si256(p.v, _mm256_set1_epi32(static_cast<int>(0xFFFF0000u))))};
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

#elif defined(__ARM_NEON)

constexpr size_t kLanes = 4;
struct Vec {
  float32x4_t v;
};
inline Vec zero() { return {vdupq_n_f32(0)}; }
inline Vec set1(float x) { return {vdupq_n_f32(x)}; }
inline Vec load(const float* p) { return {vld1q_f32(p)}; }
inline void store(float* p, Vec x) { vst1q_f32(p, x.v); }
inline Vec load_part(const float* p, size_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
inline void store_part(float* p, Vec x, size_t n) {
  float lanes[4];
  store(lanes, x);
  for (size_t i = 0; i < n; ++i) p[i] = lanes[i];
}
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec round_even(Vec a) { return {vrndnq_f32(a.v)}; }
inline Vec scale2(Vec a, Vec n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127));
  return {vmulq_f32(a.v, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)))};
}
inline float sum(Vec a) { return vaddvq_f32(a.v); }
inline float largest(Vec a) { return vmaxvq_f32(a.v); }
struct Pairs {
  uint32x4_t v;
};
inline Pairs load_pairs(const uint16_t* p) { return {vreinterpretq_u32_u16(vld1q_u16(p))}; }
inline Vec even(Pairs p) { return {vreinterpretq_f32_u32(vshlq_n_u32(p.v, 16))}; }
inline Vec odd(Pairs p) {
  return {vreinterpretq_f32_u32(vandq_u32(p.v, vdupq_n_u32(0xFFFF0000u)))};
}
inline void prefetch(const void* p) { __builtin_prefetch(p); }

#endif

/// Calls body(offset, count) for whole vectors with count = kLanes, and once more for a rest.
template <typename Body>
inline void for_lanes(size_t n, Body body) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, n - i);
}
inline Vec load_n(const float* p, size_t n) { return n == kLanes ? load(p) : load_part(p, n); }
inline void store_n(float* p, Vec x, size_t n) { n == kLanes ? store(p, x) : store_part(p, x, n); }

/// exp(x) to about 2 units in the last place; below -87 it is about 1e-38, above 88 about 1e38,
/// never infinite or 0. Range reduction by ln 2 in two parts, then the Taylor polynomial of degree
/// 7 on [-0.35, 0.35].
inline Vec exp(Vec x) {
  x = min(max(x, set1(-87.0F)), set1(88.0F));
  const Vec n = round_even(x * set1(1.44269504F));
  Vec r = fma(n, set1(-0.693145752F), x);
  r = fma(n, set1(-1.42860677e-6F), r);
  Vec p = set1(1.98412698e-4F);
  p = fma(p, r, set1(1.38888889e-3F));
  p = fma(p, r, set1(8.33333333e-3F));
  p = fma(p, r, set1(4.16666667e-2F));
  p = fma(p, r, set1(1.66666667e-1F));
  p = fma(p, r, set1(0.5F));
  p = fma(p, r, set1(1.0F));
  p = fma(p, r, set1(1.0F));
  return scale2(p, n);
}

}  // namespace
}  // namespace kani::cpu
