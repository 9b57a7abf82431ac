// encoder_avx512vnni.cc - products of 13-bit whole numbers with VPDPWSSD: two multiply-adds a lane
// where float32 has one.  The reference is encoder_scalar.cc.
#include <immintrin.h>

#include "kani/backend/cpu/kernels/encoder_kernels.h"

#define KANI_UNROLL _Pragma("GCC unroll 16")

namespace kani::cpu {
namespace {

constexpr size_t kLanes = 16;
constexpr size_t kTileRows = 12;
constexpr size_t kPairs = kFixedGroup / 2;

using Pair [[gnu::may_alias]] = int;

// sum + the products of the pair at `x`, the same for all lanes, with the pair in each lane of w.
// With the intrinsic g++ 12 copies every sum to another register and to memory (2.5 s for a voice
// that now takes 1.6); the instruction itself adds in place and spreads the pair.
inline __m512i add_products(__m512i sum, const int16_t* x, __m512i w) {
  asm("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const Pair*>(x)));
  return sum;
}

// Whole sums of one group.  A function of its own, so that g++ has registers for all of them.
template <size_t kRows>
[[gnu::noinline]] void group_sums(const int16_t* x, size_t step, const int16_t* w,
                                  int32_t (*sums)[kPanel]) noexcept {
  __m512i acc[kRows][2];
  KANI_UNROLL
  for (size_t r = 0; r < kRows; ++r) acc[r][0] = acc[r][1] = _mm512_setzero_si512();
  for (size_t k = 0; k < kPairs; ++k, w += 2 * kPanel, x += 2) {
    const __m512i left = _mm512_loadu_si512(w), right = _mm512_loadu_si512(w + 2 * kLanes);
    KANI_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      acc[r][0] = add_products(acc[r][0], x + r * step, left);
      acc[r][1] = add_products(acc[r][1], x + r * step, right);
    }
  }
  KANI_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    _mm512_storeu_si512(sums[r], acc[r][0]);
    _mm512_storeu_si512(sums[r] + kLanes, acc[r][1]);
  }
}

// Group by group the sums become float and are added to v.
template <size_t kRows>
void tile(const FixedPanelArgs& a, size_t first) noexcept {
  const int16_t* x = a.x + first * a.step;
  const float* x_scale = a.x_scale + first * a.groups;
  float* v = a.v + first * kPanel;
  alignas(64) int32_t sums[kRows][kPanel];
  for (size_t g = 0; g < a.groups; ++g, x += kFixedGroup) {
    group_sums<kRows>(x, a.step, a.panel + g * kFixedGroup * kPanel, sums);
    for (size_t r = 0; r < kRows; ++r) {
      const __m512 row_scale = _mm512_set1_ps(x_scale[r * a.groups + g]);
      for (size_t i = 0; i < kPanel; i += kLanes) {
        const __m512 scale = _mm512_mul_ps(row_scale, _mm512_loadu_ps(a.scale + g * kPanel + i));
        float* out = v + r * kPanel + i;
        const __m512 before = g == 0 ? _mm512_setzero_ps() : _mm512_loadu_ps(out);
        const __m512 sum = _mm512_cvtepi32_ps(_mm512_loadu_si512(sums[r] + i));
        _mm512_storeu_ps(out, _mm512_fmadd_ps(sum, scale, before));
      }
    }
  }
}

template <size_t kRows>
void rest(const FixedPanelArgs& a, size_t first) noexcept {
  if constexpr (kRows > 0) {
    if (a.rows - first == kRows) return tile<kRows>(a, first);
    rest<kRows - 1>(a, first);
  }
}

void panel_fixed16(const FixedPanelArgs& a) noexcept {
  size_t first = 0;
  for (; first + kTileRows <= a.rows; first += kTileRows) tile<kTileRows>(a, first);
  rest<kTileRows - 1>(a, first);
}

void to_fixed16(const float* x, size_t n, int16_t* q, float* scale) noexcept {
  for (size_t first = 0; first < n; first += kFixedGroup) {
    const size_t count = n - first < kFixedGroup ? n - first : kFixedGroup;
    __m512 values[kFixedGroup / kLanes];
    __m512 top = _mm512_setzero_ps();
    for (size_t i = 0; i < kFixedGroup / kLanes; ++i) {
      const size_t at = i * kLanes;
      const size_t left = at >= count ? 0 : count - at < kLanes ? count - at : kLanes;
      const auto mask = static_cast<__mmask16>((1u << left) - 1);
      values[i] = _mm512_maskz_loadu_ps(mask, x + first + at);
      top = _mm512_max_ps(top, _mm512_abs_ps(values[i]));
    }
    const float largest = _mm512_reduce_max_ps(top);
    const __m512 factor = _mm512_set1_ps(largest > 1e-30F ? kFixedMax / largest : 0.0F);
    for (size_t i = 0; i < kFixedGroup / kLanes; ++i) {
      const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(values[i], factor));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + first + i * kLanes),
                          _mm512_cvtepi32_epi16(whole));
    }
    scale[first / kFixedGroup] = largest / kFixedMax;
  }
}

// Pairs are turned as if they were floats, four rows by four pairs.
void to_pairs(const int16_t* q, size_t step, size_t rows, int16_t* panel) noexcept {
  const auto load = [](const int16_t* p) {
    return _mm_castsi128_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  };
  const auto store = [](int16_t* p, __m128 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_castps_si128(x));
  };
  const size_t even = rows / 4 * 4;
  for (size_t p = 0; p < kPairs; p += 4) {
    for (size_t r = 0; r < even; r += 4) {
      const int16_t* from = q + r * step + 2 * p;
      __m128 a = load(from), b = load(from + step), c = load(from + 2 * step),
             d = load(from + 3 * step);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      int16_t* to = panel + (p * kPanel + r) * 2;
      store(to, a);
      store(to + 2 * kPanel, b);
      store(to + 4 * kPanel, c);
      store(to + 6 * kPanel, d);
    }
  }
  for (size_t r = even; r < rows; ++r) {
    for (size_t p = 0; p < kPairs; ++p)
      __builtin_memcpy(panel + (p * kPanel + r) * 2, q + r * step + 2 * p, 2 * sizeof(int16_t));
  }
}

}  // namespace

constinit const EncoderTable kEncoderAvx512Vnni{nullptr,  panel_fixed16, to_fixed16, nullptr,
                                                to_pairs, nullptr,       nullptr,    nullptr,
                                                nullptr,  nullptr};

}  // namespace kani::cpu
