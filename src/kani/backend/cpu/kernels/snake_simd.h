// snake_simd.h - bodies of the half-snake and of the upsampling step, written once over simd.h and
// included by each ISA file.  The reference is signal_scalar.cc.  Legend: see signal_kernels.h.
#pragma once

#include <cmath>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

namespace kani::cpu {
namespace {

constexpr float kMostReduced = 65536;  // beyond, the angle goes to the C library

// sin(alpha * x)^2 to about two units in the last place of the sine, for |alpha * x| up to
// kMostReduced.  The square has period pi, so that k = round(alpha * x / pi) is all that range
// reduction has to find, and its parity does not matter.  pi is subtracted in three parts; the
// first product is exact in a fused multiply-add.  The rounding error of alpha * x is added back:
// for an angle of 100 it would be worth 60 units.  Polynomial: relative minimax of sin(r)/r in r^2
// on [0, (pi/2)^2] with the constant term 1, error 6.1e-9 (a tenth of a unit).
inline Vec sine_squared(Vec alpha, Vec x) {
  const Vec angle = alpha * x;
  const Vec minus_k = zero() - round_even(angle * set1(0.318309873F));
  Vec r = fma(minus_k, set1(3.14159274F), angle);
  r = fma(minus_k, set1(-8.74227766e-8F), r);
  r = r + fma(minus_k, set1(-3.43024902e-15F), fma(alpha, x, zero() - angle));
  const Vec u = r * r;
  Vec p = set1(2.60578054e-6F);
  p = fma(p, u, set1(-1.98096022e-4F));
  p = fma(p, u, set1(8.33306648e-3F));
  p = fma(p, u, set1(-1.66666597e-1F));
  const Vec s = fma(r * u, p, r);
  return s * s;
}

#if defined(__AVX512F__)
inline bool any_above(Vec a, float limit) {
  return _mm512_cmp_ps_mask(a.v, set1(limit).v, _CMP_GT_OQ) != 0;
}
#elif defined(__AVX2__)
inline bool any_above(Vec a, float limit) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a.v, set1(limit).v, _CMP_GT_OQ)) != 0;
}
#elif defined(__ARM_NEON)
inline bool any_above(Vec a, float limit) {
  return vmaxvq_u32(vcgtq_f32(a.v, vdupq_n_f32(limit))) != 0;
}
#endif

// Lanes whose angle is beyond the polynomial's reach; the others keep their value, so that no
// result depends on its neighbours.
__attribute__((noinline)) Vec snake_beyond(Vec x, Vec y, float alpha, float inverse) noexcept {
  float in[kLanes], out[kLanes];
  store(in, x);
  store(out, y);
  for (size_t i = 0; i < kLanes; ++i) {
    if (!(__builtin_fabsf(alpha * in[i]) > kMostReduced)) continue;
    const double s = ::sin(static_cast<double>(alpha) * in[i]);
    out[i] = static_cast<float>(in[i] + inverse * (s * s));
  }
  return load(out);
}

inline Vec snake(Vec x, float alpha, float inverse) noexcept {
  const Vec slope = set1(alpha);
  const Vec y = fma(set1(inverse), sine_squared(slope, x), x);
  const Vec angle = slope * x;
  if (any_above(max(angle, zero() - angle), kMostReduced)) [[unlikely]] {
    return snake_beyond(x, y, alpha, inverse);
  }
  return y;
}

inline Vec leaky(Vec x) noexcept { return max(set1(0.01F) * x, x); }

// y = f(x) over one row.
template <typename F>
void map_row(const float* x, size_t cols, float* y, F f) noexcept {
  size_t t = 0;
  for (; t + kLanes <= cols; t += kLanes) store(y + t, f(load(x + t)));
  if (t < cols) store_part(y + t, f(load_part(x + t, cols - t)), cols - t);
}

inline void half_snake(const SnakeTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.x_stride;
    float* y = a.y + row * a.y_stride;
    if (row < a.snakes) {
      const float alpha = a.alpha[row];
      const float inverse = a.inverse[row];
      map_row(x, a.cols, y, [=](Vec v) { return snake(v, alpha, inverse); });
    } else {
      map_row(x, a.cols, y, leaky);
    }
  }
}

#if defined(__AVX512F__)
/// One channel's activation, chosen once per channel.
struct Channel {
  bool snakes;
  float alpha;
  float inverse;
  Vec operator()(Vec x) const noexcept { return snakes ? snake(x, alpha, inverse) : leaky(x); }
};
inline Channel channel(const PackTile& a, size_t row) noexcept {
  return row < a.snakes ? Channel{true, a.alpha[row], a.inverse[row]} : Channel{false, 0, 0};
}
#endif

// The phases lie in the lanes: one step of input makes `rate` adjacent samples.
inline void upsample(const UpsampleRow& a) noexcept {
  const float* w0 = a.weight;
  const float* w1 = a.weight + 2 * a.rate;
  for (size_t first = 0; first < a.rate; first += kLanes) {
    const size_t n = a.rate - first < kLanes ? a.rate - first : kLanes;
    const Vec new0 = load_part(w0 + first, n), old0 = load_part(w0 + a.rate + first, n);
    const Vec new1 = load_part(w1 + first, n), old1 = load_part(w1 + a.rate + first, n);
    const Vec bias = set1(a.bias);
    for (size_t t = 0; t < a.cols; ++t) {
      Vec v = fma(new0, set1(a.a[t + 1]), bias);
      v = fma(old0, set1(a.a[t]), v);
      v = fma(new1, set1(a.b[t + 1]), v);
      v = fma(old1, set1(a.b[t]), v);
      store_part(a.y + t * a.rate + first, v, n);
    }
  }
}

}  // namespace
}  // namespace kani::cpu
