// quant_avx512vnni.cc - products with quantized weights by VPDPBUSD: sixteen rows in the lanes,
// four neighbours of each multiplied and added at once.  The reference is quant_scalar.cc.
#include <immintrin.h>

#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/backend/cpu/kernels/quant_levels.h"

#define KANI_UNROLL _Pragma("GCC unroll 16")

namespace kani::cpu {
namespace {

constexpr size_t kLanes = 16;
constexpr size_t kVecs = kQuantRows / kLanes;
constexpr size_t kLine = kQuantRows * 4;  // bytes of four neighbours of all rows
constexpr size_t kAhead = 8192;           // as language_simd.h

using Four [[gnu::may_alias]] = int;

// sum + the four products of each lane: unsigned w, signed x, the same four x for all lanes.  See
// encoder_avx512vnni.cc for why this is no intrinsic.
inline __m512i add_products(__m512i sum, const int8_t* x, __m512i w) {
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*reinterpret_cast<const Four*>(x)));
  return sum;
}

// Eight lines of numbers of one register of rows, plus 128 so that they are unsigned.
template <size_t kBytes>
inline void read_lines(const uint8_t* data, __m512i (&lines)[8]) {
  if constexpr (kBytes == kQ8Bytes) {
    KANI_UNROLL
    for (size_t g = 0; g < 8; ++g)
      lines[g] = _mm512_xor_si512(_mm512_loadu_si512(data + g * kLine), _mm512_set1_epi8(-128));
  } else {
    const __m512i mask = _mm512_set1_epi8(15);
    const __m512i levels =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kLevels.plus_128)));
    KANI_UNROLL
    for (size_t g = 0; g < 4; ++g) {
      const __m512i both = _mm512_loadu_si512(data + g * kLine);
      lines[g] = _mm512_shuffle_epi8(levels, _mm512_and_si512(both, mask));
      lines[g + 4] =
          _mm512_shuffle_epi8(levels, _mm512_and_si512(_mm512_srli_epi16(both, 4), mask));
    }
  }
}

inline __m512 scales_at(const uint8_t* block, size_t group, size_t vec) {
  const __m128i scales =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + group * kQuantRows + vec * kLanes));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(scales));
}

// The sum of a group: 8 bits of activations for weights of 4, two halves for those of 8.
template <size_t kBytes>
inline __m512 group_sums(const QuantInput& x, size_t at, size_t group, const __m512i (&lines)[8]) {
  const size_t first = at * 32 + group * 16;
  const __m512i start = _mm512_set1_epi32(-128 * x.sums[at * 2 + group]);
  __m512i even = kBytes == kQ8Bytes ? _mm512_setzero_si512() : start;
  __m512i odd = _mm512_setzero_si512();
  KANI_UNROLL
  for (size_t g = 0; g < 4; g += 2) {
    even = add_products(even, x.high + first + 4 * g, lines[group * 4 + g]);
    odd = add_products(odd, x.high + first + 4 * g + 4, lines[group * 4 + g + 1]);
  }
  __m512i sums = _mm512_add_epi32(even, odd);
  if constexpr (kBytes == kQ8Bytes) {
    __m512i low_even = start, low_odd = _mm512_setzero_si512();
    KANI_UNROLL
    for (size_t g = 0; g < 4; g += 2) {
      low_even = add_products(low_even, x.low + first + 4 * g, lines[group * 4 + g]);
      low_odd = add_products(low_odd, x.low + first + 4 * g + 4, lines[group * 4 + g + 1]);
    }
    sums = _mm512_add_epi32(_mm512_slli_epi32(sums, 7), _mm512_add_epi32(low_even, low_odd));
  }
  return _mm512_cvtepi32_ps(sums);
}

template <size_t kBytes>
inline __m512 add_block(__m512 acc, const QuantInput& x, size_t at, const __m512i (&lines)[8],
                        __m512 scale0, __m512 scale1) {
  const __m512 first = _mm512_mul_ps(group_sums<kBytes>(x, at, 0, lines), scale0);
  const __m512 both = _mm512_fmadd_ps(group_sums<kBytes>(x, at, 1, lines), scale1, first);
  return _mm512_fmadd_ps(both, _mm512_set1_ps(x.scale[at]), acc);
}

inline void put(const QuantArgs& a, size_t token, size_t vec, __m512 value) {
  const size_t row = vec * kLanes;
  if (row >= a.rows) return;
  const size_t left = a.rows - row;
  const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFFu : (1u << left) - 1);
  float* y = a.y + token * a.ldy + row;
  const __m512 scale = _mm512_loadu_ps(a.w + row * sizeof(float));
  value =
      _mm512_fmadd_ps(value, scale, a.add ? _mm512_maskz_loadu_ps(mask, y) : _mm512_setzero_ps());
  _mm512_mask_storeu_ps(y, mask, value);
}

// Asks for what lies kAhead bytes behind, a few lines at a time: a whole block's at once would wait
// for each other.
template <size_t kBytes>
inline void prefetch(const uint8_t* from) {
  KANI_UNROLL
  for (size_t line = 0; line < kBytes; line += 64)
    _mm_prefetch(reinterpret_cast<const char*>(from + kAhead + line), _MM_HINT_T0);
}

inline __m512i add_products(__m512i sum, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));
  return sum;
}

inline __m512i four(const int8_t* x) {
  return _mm512_set1_epi32(*reinterpret_cast<const Four*>(x));
}

// Sums of the groups of 64 rows, [group][vec], in the order of memory.
inline void block_sums_q4(const uint8_t* block, const QuantInput& x, size_t b,
                          __m512i (&sums)[2][kVecs]) {
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i levels =
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kLevels.plus_128)));
  KANI_UNROLL
  for (size_t g = 0; g < 4; ++g) {
    const __m512i first = four(x.high + b * 32 + 4 * g);
    const __m512i second = four(x.high + b * 32 + 16 + 4 * g);
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) {
      const __m512i both = _mm512_loadu_si512(block + kGroupScaleBytes + g * kLine + v * 64);
      const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
      sums[0][v] = add_products(sums[0][v], first,
                                _mm512_shuffle_epi8(levels, _mm512_and_si512(both, mask)));
      sums[1][v] = add_products(sums[1][v], second, _mm512_shuffle_epi8(levels, high));
    }
  }
}

inline void block_sums_q8(const uint8_t* block, const QuantInput& x, size_t b,
                          __m512i (&sums)[2][kVecs]) {
  KANI_UNROLL
  for (size_t group = 0; group < 2; ++group) {
    __m512i coarse[kVecs];
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) coarse[v] = _mm512_setzero_si512();
    KANI_UNROLL
    for (size_t g = 4 * group; g < 4 * group + 4; ++g) {
      const __m512i high = four(x.high + b * 32 + 4 * g), low = four(x.low + b * 32 + 4 * g);
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) {
        const __m512i w =
            _mm512_xor_si512(_mm512_loadu_si512(block + kGroupScaleBytes + g * kLine + v * 64),
                             _mm512_set1_epi8(-128));
        coarse[v] = add_products(coarse[v], high, w);
        sums[group][v] = add_products(sums[group][v], low, w);
      }
    }
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v)
      sums[group][v] = _mm512_add_epi32(sums[group][v], _mm512_slli_epi32(coarse[v], 7));
  }
}

// One token: memory is read strictly in order, so that the processor fetches ahead by itself.
// Whether asking for lines helps with 8 bits or harms is the processor's matter (weights_ahead());
// with 4 bits it harms or does nothing.
template <size_t kBytes>
void gemv(const QuantArgs& a) noexcept {
  __m512 acc[kVecs];
  KANI_UNROLL
  for (size_t v = 0; v < kVecs; ++v) acc[v] = _mm512_setzero_ps();
  const uint8_t* block = a.w + kRowScaleBytes;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes) {
    if (kBytes == kQ8Bytes && a.ahead != 0) {
      KANI_UNROLL
      for (size_t line = 0; line < kBytes; line += 64) __builtin_prefetch(block + a.ahead + line);
    }
    __m512i sums[2][kVecs];
    KANI_UNROLL
    for (size_t group = 0; group < 2; ++group) {
      const __m512i start = _mm512_set1_epi32(-128 * a.x.sums[b * 2 + group]);
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) sums[group][v] = start;
    }
    if constexpr (kBytes == kQ4Bytes) {
      block_sums_q4(block, a.x, b, sums);
    } else {
      block_sums_q8(block, a.x, b, sums);
    }
    const __m512 x_scale = _mm512_set1_ps(a.x.scale[b]);
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) {
      const __m512 first = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[0][v]), scales_at(block, 0, v));
      const __m512 both =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[1][v]), scales_at(block, 1, v), first);
      acc[v] = _mm512_fmadd_ps(both, x_scale, acc[v]);
    }
  }
  KANI_UNROLL
  for (size_t v = 0; v < kVecs; ++v) put(a, 0, v, acc[v]);
}

// Several tokens share the numbers of a register of rows.
template <size_t kBytes>
void gemm_tokens(const QuantArgs& a) noexcept {
  alignas(64) float acc[kVecs][kQuantTokens][kLanes];
  const __m512 zero = _mm512_setzero_ps();
  for (size_t v = 0; v < kVecs; ++v) {
    for (size_t t = 0; t < a.tokens; ++t) _mm512_store_ps(acc[v][t], zero);
  }
  const uint8_t* block = a.w + kRowScaleBytes;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes) {
    for (size_t v = 0; v < kVecs; ++v) {
      prefetch<kBytes / 4>(block + v * (kBytes / 4));
      __m512i lines[8];
      read_lines<kBytes>(block + kGroupScaleBytes + v * kLanes * 4, lines);
      const __m512 scale0 = scales_at(block, 0, v), scale1 = scales_at(block, 1, v);
      for (size_t t = 0; t < a.tokens; ++t) {
        const __m512 before = _mm512_load_ps(acc[v][t]);
        _mm512_store_ps(acc[v][t],
                        add_block<kBytes>(before, a.x, t * a.blocks + b, lines, scale0, scale1));
      }
    }
  }
  for (size_t v = 0; v < kVecs; ++v) {
    for (size_t t = 0; t < a.tokens; ++t) put(a, t, v, _mm512_load_ps(acc[v][t]));
  }
}

template <size_t kBytes>
void gemm(const QuantArgs& a) noexcept {
  a.tokens == 1 ? gemv<kBytes>(a) : gemm_tokens<kBytes>(a);
}

inline void store_bytes(int8_t* to, __m512i numbers) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(numbers));
}

void quantize(const float* x, size_t n, const QuantInput& out) noexcept {
  const float end = out.low == nullptr ? 127 : 127 * 128;
  for (size_t first = 0; first < n; first += 32) {
    const size_t count = n - first < 32 ? n - first : 32;
    const auto mask = static_cast<__mmask32>(count == 32 ? 0xFFFFFFFFu : (1u << count) - 1);
    const __m512 halves[2] = {
        _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), x + first),
        _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), x + first + 16)};
    const float top =
        _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(halves[0]), _mm512_abs_ps(halves[1])));
    const __m512 factor = _mm512_set1_ps(top > 1e-30F ? end / top : 0.0F);
    for (size_t g = 0; g < 2; ++g) {
      const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(halves[g], factor));
      const size_t at = first + 16 * g;
      if (out.low == nullptr) {
        store_bytes(out.high + at, whole);
      } else {
        const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(64)), 7);
        store_bytes(out.high + at, high);
        store_bytes(out.low + at, _mm512_sub_epi32(whole, _mm512_slli_epi32(high, 7)));
      }
      out.sums[at / 16] = _mm512_reduce_add_epi32(whole);
    }
    out.scale[first / 32] = top / end;
  }
}

float largest_of(const float* w, size_t groups) {
  __m512 top = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; ++g)
    top = _mm512_max_ps(top, _mm512_abs_ps(_mm512_loadu_ps(w + g * 16)));
  return _mm512_reduce_max_ps(top);
}

// quant/blocks.cc has the same steps in plain loops; numbers that are equal there are equal here.
float quantize_row_q8(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  const float top = largest_of(w, groups);
  const bool zero = top < 1e-30F;
  const float scale = zero ? 0 : top / (127 * 127), units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < groups; ++g) {
    const __m512 x = _mm512_loadu_ps(w + g * 16);
    const float steps = __builtin_ceilf(_mm512_reduce_max_ps(_mm512_abs_ps(x)) / 127 * units);
    const float group = steps < 127 ? steps : 127;
    const float inverse = group == 0 ? 0 : 1 / (scale * group);
    scales[g] = static_cast<int8_t>(group);
    const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(inverse)));
    const __m512i low = _mm512_set1_epi32(-127), high = _mm512_set1_epi32(127);
    store_bytes(q + g * 16, _mm512_min_epi32(_mm512_max_epi32(whole, low), high));
  }
  return scale;
}

// Codes of sixteen numbers.  [-128, 128) is cut into 32 pieces, none of which holds more than one
// bound between codes (quant_levels.h).
inline __m512i codes(__m512 x) {
  const __m512 place =
      _mm512_min_ps(_mm512_max_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(0.125F), _mm512_set1_ps(16)),
                                  _mm512_setzero_ps()),
                    _mm512_set1_ps(31));
  const __m512i piece = _mm512_cvttps_epi32(place);
  const __m512 bound = _mm512_permutex2var_ps(_mm512_loadu_ps(kLevels.bounds), piece,
                                              _mm512_loadu_ps(kLevels.bounds + 16));
  const __m512i code = _mm512_permutex2var_epi32(_mm512_loadu_si512(kLevels.codes), piece,
                                                 _mm512_loadu_si512(kLevels.codes + 16));
  return _mm512_mask_add_epi32(code, _mm512_cmp_ps_mask(x, bound, _CMP_GT_OQ), code,
                               _mm512_set1_epi32(1));
}

// The best scales of sixteen groups at once, a group a lane; those beyond `count` are not read.
inline __m512 fit(const float* w, size_t count) {
  const __m512i places =
      _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 4);
  const auto mask = static_cast<__mmask16>(count >= 16 ? 0xFFFFu : (1u << count) - 1);
  __m512 x[16], top = _mm512_setzero_ps();
  KANI_UNROLL
  for (size_t i = 0; i < 16; ++i) {
    x[i] = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, places, w + i, 4);
    const __mmask16 larger =
        _mm512_cmp_ps_mask(_mm512_abs_ps(x[i]), _mm512_abs_ps(top), _CMP_GT_OQ);
    top = _mm512_mask_mov_ps(top, larger, x[i]);
  }
  const __m512 levels = _mm512_loadu_ps(kLevels.as_float);
  __m512 most = _mm512_set1_ps(-1), best = _mm512_setzero_ps();
  for (const float candidate : kLevels.candidates) {
    const __m512 inverse = _mm512_div_ps(_mm512_set1_ps(candidate), top);
    __m512 wl = _mm512_setzero_ps(), ll = _mm512_setzero_ps();
    KANI_UNROLL
    for (size_t i = 0; i < 16; ++i) {
      const __m512 level = _mm512_permutexvar_ps(codes(_mm512_mul_ps(x[i], inverse)), levels);
      wl = _mm512_fmadd_ps(x[i], level, wl);
      ll = _mm512_fmadd_ps(level, level, ll);
    }
    const __m512 ratio = _mm512_div_ps(wl, ll), gain = _mm512_mul_ps(wl, ratio);
    const __mmask16 better = _mm512_cmp_ps_mask(gain, most, _CMP_GT_OQ);
    most = _mm512_mask_mov_ps(most, better, gain);
    best = _mm512_mask_mov_ps(best, better, ratio);
  }
  const __mmask16 some = _mm512_cmp_ps_mask(_mm512_abs_ps(top), _mm512_set1_ps(1e-30F), _CMP_GE_OQ);
  return _mm512_maskz_mov_ps(some, best);
}

float quantize_row_q4(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  __m512 most = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g += 16) {
    const __m512 best = fit(w + g * 16, groups - g);
    most = _mm512_max_ps(most, _mm512_abs_ps(best));
    // Kept as floats where the codes will lie: 16 bytes a group.
    for (size_t i = 0; i < 16 && g + i < groups; ++i) {
      float lanes[16];
      _mm512_storeu_ps(lanes, best);
      __builtin_memcpy(q + (g + i) * 16, lanes + i, sizeof(float));
    }
  }
  const float top = _mm512_reduce_max_ps(most);
  const bool zero = top < 1e-30F;
  const float scale = zero ? 0 : top / 127, units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < groups; ++g) {
    float best;
    __builtin_memcpy(&best, q + g * 16, sizeof best);
    const float whole = __builtin_nearbyintf(best * units);
    const float group = whole == whole ? whole : 0;  // quant/blocks.cc
    const float inverse = group == 0 ? 0 : 1 / (scale * group);
    scales[g] = static_cast<int8_t>(group);
    store_bytes(q + g * 16,
                codes(_mm512_mul_ps(_mm512_loadu_ps(w + g * 16), _mm512_set1_ps(inverse))));
  }
  return scale;
}

}  // namespace

constinit const QuantTable kQuantAvx512Vnni{gemm<kQ8Bytes>, gemm<kQ4Bytes>, quantize,
                                            quantize_row_q8, quantize_row_q4};

}  // namespace kani::cpu
