// quant_avx2.cc - products with quantized weights for AVX2: eight rows in the lanes, four
// neighbours of each a lane.  The reference is quant_scalar.cc.
#include <immintrin.h>

#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/backend/cpu/kernels/quant_levels.h"

namespace kani::cpu {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kVecs = kQuantRows / kLanes;
constexpr size_t kLine = kQuantRows * 4;  // bytes of four neighbours of all rows

inline __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
// Four neighbours of x in all lanes.
inline __m256i four(const int8_t* p) {
  int all;
  __builtin_memcpy(&all, p, sizeof all);
  return _mm256_set1_epi32(all);
}

// sum + the four products of each lane.  Unsigned times signed: |w| with the sign moved to x, so
// that no sum of two exceeds 16 bits.
inline __m256i add_products(__m256i sum, const int8_t* x, __m256i w, __m256i size) {
  const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(four(x), w));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// The whole sums of both groups of eight rows; `data` are the rows' numbers.
inline void block_sums_q8(const uint8_t* data, const int8_t* high, const int8_t* low,
                          __m256i (&sums)[2]) {
  for (size_t group = 0; group < 2; ++group) {
    __m256i fine = _mm256_setzero_si256(), coarse = fine;
    for (size_t g = 4 * group; g < 4 * group + 4; ++g) {
      const __m256i w = load(data + g * kLine), size = _mm256_abs_epi8(w);
      coarse = add_products(coarse, high + 4 * g, w, size);
      fine = add_products(fine, low + 4 * g, w, size);
    }
    sums[group] = _mm256_add_epi32(_mm256_slli_epi32(coarse, 7), fine);
  }
}

inline void block_sums_q4(const uint8_t* data, const int8_t* x, const int8_t*, __m256i (&sums)[2]) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i levels = _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(kLevels.as_int8)));
  sums[0] = sums[1] = _mm256_setzero_si256();
  for (size_t g = 0; g < 4; ++g) {
    const __m256i both = load(data + g * kLine);
    const __m256i first = _mm256_shuffle_epi8(levels, _mm256_and_si256(both, mask));
    const __m256i second =
        _mm256_shuffle_epi8(levels, _mm256_and_si256(_mm256_srli_epi16(both, 4), mask));
    sums[0] = add_products(sums[0], x + 4 * g, first, _mm256_abs_epi8(first));
    sums[1] = add_products(sums[1], x + 16 + 4 * g, second, _mm256_abs_epi8(second));
  }
}

inline __m256 scales_at(const uint8_t* block, size_t group, size_t vec) {
  const __m128i scales =
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block + group * kQuantRows + vec * kLanes));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(scales));
}

// Nothing is asked for ahead: the processor's own guess is better (one thread, 8 bits: 23 GB/s, 12
// with requests; 4 bits 18 either way).
template <size_t kBytes, auto kSums>
void gemm(const QuantArgs& a) noexcept {
  float acc[kQuantTokens][kQuantRows];
  for (size_t t = 0; t < a.tokens; ++t) {
    for (size_t r = 0; r < kQuantRows; ++r) acc[t][r] = 0;
  }
  const uint8_t* block = a.w + kRowScaleBytes;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes) {
    for (size_t t = 0; t < a.tokens; ++t) {
      const size_t at = t * a.blocks + b;
      const __m256 x_scale = _mm256_set1_ps(a.x.scale[at]);
      const int8_t* low = a.x.low == nullptr ? nullptr : a.x.low + at * 32;
      for (size_t v = 0; v < kVecs; ++v) {
        __m256i sums[2];
        kSums(block + kGroupScaleBytes + v * kLanes * 4, a.x.high + at * 32, low, sums);
        const __m256 first = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[0]), scales_at(block, 0, v));
        const __m256 both =
            _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[1]), scales_at(block, 1, v), first);
        float* out = acc[t] + v * kLanes;
        _mm256_storeu_ps(out, _mm256_fmadd_ps(both, x_scale, _mm256_loadu_ps(out)));
      }
    }
  }
  float row_scales[kQuantRows];  // a stored matrix may lie at any address
  __builtin_memcpy(row_scales, a.w, sizeof row_scales);
  for (size_t t = 0; t < a.tokens; ++t) {
    float* y = a.y + t * a.ldy;
    for (size_t r = 0; r < a.rows; ++r)
      y[r] = __builtin_fmaf(acc[t][r], row_scales[r], a.add ? y[r] : 0.0F);
  }
}

inline __m256 size_of(__m256 x) {
  return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF)));
}

inline float largest_lane(__m256 x) {
  float lanes[kLanes], largest = 0;
  _mm256_storeu_ps(lanes, x);
  for (const float value : lanes) largest = value > largest ? value : largest;
  return largest;
}

// The largest size of `n` numbers, a multiple of eight.
inline float largest_of(const float* x, size_t n) {
  __m256 top = _mm256_setzero_ps();
  for (size_t i = 0; i < n; i += kLanes) top = _mm256_max_ps(top, size_of(_mm256_loadu_ps(x + i)));
  return largest_lane(top);
}

// Whole numbers that fit in eight bits.
inline void store_bytes(int8_t* to, __m256i numbers) {
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
}

inline int32_t sum(__m256i a) {
  int32_t lanes[kLanes], total = 0;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), a);
  for (const int32_t value : lanes) total += value;
  return total;
}

void quantize(const float* x, size_t n, const QuantInput& out) noexcept {
  const float end = out.low == nullptr ? 127 : 127 * 128;
  for (size_t first = 0; first < n; first += 32) {
    float block[32] = {};
    const size_t count = n - first < 32 ? n - first : 32;
    __builtin_memcpy(block, x + first, count * sizeof(float));
    const float top = largest_of(block, 32);
    const __m256 factor = _mm256_set1_ps(top > 1e-30F ? end / top : 0.0F);
    int32_t* sums = out.sums + first / 32 * 2;
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < 32; i += kLanes) {
      const __m256i whole = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(block + i), factor));
      if (out.low == nullptr) {
        store_bytes(out.high + first + i, whole);
      } else {
        const __m256i high = _mm256_srai_epi32(_mm256_add_epi32(whole, _mm256_set1_epi32(64)), 7);
        store_bytes(out.high + first + i, high);
        store_bytes(out.low + first + i, _mm256_sub_epi32(whole, _mm256_slli_epi32(high, 7)));
      }
      sums[i / 16] += sum(whole);
    }
    out.scale[first / 32] = top / end;
  }
}

// quant/blocks.cc has the same steps in plain loops; numbers that are equal there are equal here.
float quantize_row_q8(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  const float top = largest_of(w, groups * 16);
  const bool zero = top < 1e-30F;
  const float scale = zero ? 0 : top / (127 * 127), units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < groups; ++g) {
    const float steps = __builtin_ceilf(largest_of(w + g * 16, 16) / 127 * units);
    const float group = steps < 127 ? steps : 127;
    const __m256 inverse = _mm256_set1_ps(group == 0 ? 0 : 1 / (scale * group));
    scales[g] = static_cast<int8_t>(group);
    for (size_t i = g * 16; i < g * 16 + 16; i += kLanes) {
      const __m256i whole = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(w + i), inverse));
      store_bytes(q + i, _mm256_max_epi32(_mm256_min_epi32(whole, _mm256_set1_epi32(127)),
                                          _mm256_set1_epi32(-127)));
    }
  }
  return scale;
}

// In which piece of [-128, 128) a number lies (quant_levels.h).
inline __m256i piece_of(__m256 x) {
  const __m256 place = _mm256_fmadd_ps(x, _mm256_set1_ps(0.125F), _mm256_set1_ps(16));
  return _mm256_cvttps_epi32(
      _mm256_min_ps(_mm256_max_ps(place, _mm256_setzero_ps()), _mm256_set1_ps(31)));
}

// The best scales of eight groups at once, a group a lane.
inline __m256 fit(const float* w, size_t count) {
  __m256 x[16], top = _mm256_setzero_ps();
  for (size_t i = 0; i < 16; ++i) {
    float lanes[kLanes] = {};
    for (size_t g = 0; g < kLanes && g < count; ++g) lanes[g] = w[g * 16 + i];
    x[i] = _mm256_loadu_ps(lanes);
    top = _mm256_blendv_ps(top, x[i], _mm256_cmp_ps(size_of(x[i]), size_of(top), _CMP_GT_OQ));
  }
  __m256 most = _mm256_set1_ps(-1), best = _mm256_setzero_ps();
  for (const float candidate : kLevels.candidates) {
    const __m256 inverse = _mm256_div_ps(_mm256_set1_ps(candidate), top);
    __m256 wl = _mm256_setzero_ps(), ll = _mm256_setzero_ps();
    for (const __m256 number : x) {
      const __m256 at = _mm256_mul_ps(number, inverse);
      const __m256i piece = piece_of(at);
      const __m256 above =
          _mm256_cmp_ps(at, _mm256_i32gather_ps(kLevels.bounds, piece, 4), _CMP_GT_OQ);
      const __m256 level = _mm256_blendv_ps(_mm256_i32gather_ps(kLevels.lower, piece, 4),
                                            _mm256_i32gather_ps(kLevels.upper, piece, 4), above);
      wl = _mm256_fmadd_ps(number, level, wl);
      ll = _mm256_fmadd_ps(level, level, ll);
    }
    const __m256 ratio = _mm256_div_ps(wl, ll), gain = _mm256_mul_ps(wl, ratio);
    const __m256 better = _mm256_cmp_ps(gain, most, _CMP_GT_OQ);
    most = _mm256_blendv_ps(most, gain, better);
    best = _mm256_blendv_ps(best, ratio, better);
  }
  return _mm256_and_ps(best, _mm256_cmp_ps(size_of(top), _mm256_set1_ps(1e-30F), _CMP_GE_OQ));
}

float quantize_row_q4(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  __m256 most = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g += kLanes) {
    const __m256 best = fit(w + g * 16, groups - g);
    most = _mm256_max_ps(most, size_of(best));
    float lanes[kLanes];
    _mm256_storeu_ps(lanes, best);
    // Kept as floats where the codes will lie: 16 bytes a group.
    for (size_t i = 0; i < kLanes && g + i < groups; ++i)
      __builtin_memcpy(q + (g + i) * 16, lanes + i, sizeof(float));
  }
  const float top = largest_lane(most);
  const bool zero = top < 1e-30F;
  const float scale = zero ? 0 : top / 127, units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < groups; ++g) {
    float best;
    __builtin_memcpy(&best, q + g * 16, sizeof best);
    const float whole = __builtin_nearbyintf(best * units);
    const float group = whole == whole ? whole : 0;  // quant/blocks.cc
    const __m256 inverse = _mm256_set1_ps(group == 0 ? 0 : 1 / (scale * group));
    scales[g] = static_cast<int8_t>(group);
    for (size_t i = g * 16; i < g * 16 + 16; i += kLanes) {
      const __m256 x = _mm256_mul_ps(_mm256_loadu_ps(w + i), inverse);
      const __m256i piece = piece_of(x);
      const __m256 above =
          _mm256_cmp_ps(x, _mm256_i32gather_ps(kLevels.bounds, piece, 4), _CMP_GT_OQ);
      // A comparison that holds is -1.
      store_bytes(q + i, _mm256_sub_epi32(_mm256_i32gather_epi32(kLevels.codes, piece, 4),
                                          _mm256_castps_si256(above)));
    }
  }
  return scale;
}

}  // namespace

constinit const QuantTable kQuantAvx2{gemm<kQ8Bytes, block_sums_q8>, gemm<kQ4Bytes, block_sums_q4>,
                                      quantize, quantize_row_q8, quantize_row_q4};

}  // namespace kani::cpu
