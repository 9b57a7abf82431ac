// signal_avx512.cc - the codec's kernels for AVX-512: 9 x 3 of the 32 registers hold sums, and 9
// divides every width of the released models (432, 216, 108, 54, 27).
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"
#include "kani/backend/cpu/kernels/split_simd.h"

namespace kani::cpu {
namespace {

// Sixteen samples of output in the lanes whatever the rate: storing the few that one step of input
// makes takes 5 % of the decoder's time in bfloat16, this takes 1.5.  Sixteen input steps make
// `rate` registers; register k of each such group spreads its steps over the lanes in the same way
// and uses the same weights.
void upsample_lanes(const UpsampleRow& a) noexcept {
  if (a.rate > kLanes) return upsample(a);
  const size_t total = a.cols * a.rate;
  const float* w[4] = {a.weight, a.weight + a.rate, a.weight + 2 * a.rate, a.weight + 3 * a.rate};
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (size_t k = 0; k < a.rate && k * kLanes < total; ++k) {
    const size_t first_step = k * kLanes / a.rate;
    const auto skipped = static_cast<int>(k * kLanes - first_step * a.rate);
    // Lane -> step after first_step, phase.  n + 1/2 keeps the quotient away from whole numbers.
    const __m512i n = _mm512_add_epi32(lanes, _mm512_set1_epi32(skipped));
    const Vec middle = Vec{_mm512_cvtepi32_ps(n)} + set1(0.5F);
    const __m512i step = _mm512_cvttps_epi32((middle / set1(static_cast<float>(a.rate))).v);
    const __m512i rate = _mm512_set1_epi32(static_cast<int>(a.rate));
    const __m512i phase = _mm512_sub_epi32(n, _mm512_mullo_epi32(step, rate));
    Vec weight[4];
    for (size_t i = 0; i < 4; ++i) {
      weight[i] = {_mm512_permutexvar_ps(phase, load_part(w[i], a.rate).v)};
    }
    const auto spread = [&](const float* x, size_t at, size_t size) -> Vec {
      const size_t left = size - at;
      const Vec steps = load_n(x + at, left < kLanes ? left : kLanes);
      return {_mm512_permutexvar_ps(step, steps.v)};
    };
    size_t t = first_step;
    for (size_t at = k * kLanes; at < total; at += kLanes * a.rate, t += kLanes) {
      Vec v = fma(weight[0], spread(a.a + 1, t, a.cols), set1(a.bias));
      v = fma(weight[1], spread(a.a, t, a.cols + 1), v);
      v = fma(weight[2], spread(a.b + 1, t, a.cols), v);
      v = fma(weight[3], spread(a.b, t, a.cols + 1), v);
      store_n(a.y + at, v, total - at < kLanes ? total - at : kLanes);
    }
  }
}

}  // namespace

constinit const SignalTable kSignalAvx512{.conv = {conv<Block<Single>, 9, 3>, 9, 3 * kLanes},
                                          .split = split,
                                          .join = join,
                                          .half_snake = half_snake,
                                          .upsample = upsample_lanes,
                                          .conv_bf16 = {},
                                          .pack_bf16 = nullptr,
                                          .conv_i8 = {},
                                          .pack_i8 = nullptr};

}  // namespace kani::cpu
