// quant_avx2.cc - products with quantized weights for AVX2 (with F16C): eight rows in the lanes,
// four neighbours of each a lane.  The reference is quant_scalar.cc.
#include <immintrin.h>

#include "kani/backend/cpu/kernels/quant_kernels.h"

namespace kani::cpu {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kVecs = kQuantRows / kLanes;
constexpr size_t kLine = kQuantRows * 4;  // bytes of four neighbours of all rows

inline __m256i load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
// Four neighbours of x in all lanes.
inline __m256i four(const int8_t* p) {
  int all;
  __builtin_memcpy(&all, p, sizeof all);
  return _mm256_set1_epi32(all);
}

// Whole sums of eight rows.  Unsigned times signed: |q| with the sign moved to x, so that no sum of
// two exceeds 16 bits.
inline __m256i sums_q8(const uint8_t* data, const int8_t* x, int32_t) {
  __m256i total = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t g = 0; g < 8; ++g) {
    const __m256i q = load(data + g * kLine);
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(four(x + 4 * g), q));
    total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, ones));
  }
  return total;
}

// Eight sums of two products below 15 * 127 fit in 16 bits.
inline __m256i sums_q4(const uint8_t* data, const int8_t* x, int32_t x_sum) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i pairs = _mm256_setzero_si256();
  for (size_t g = 0; g < 4; ++g) {
    const __m256i both = load(data + g * kLine);
    const __m256i low = _mm256_and_si256(both, mask);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(low, four(x + 4 * g)));
    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(high, four(x + 16 + 4 * g)));
  }
  // q is stored plus 8.
  return _mm256_sub_epi32(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)),
                          _mm256_set1_epi32(8 * x_sum));
}

template <size_t kBytes, auto kSums>
void gemm(const QuantArgs& a) noexcept {
  float acc[kQuantTokens][kQuantRows];
  for (size_t t = 0; t < a.tokens; ++t) {
    for (size_t r = 0; r < kQuantRows; ++r) acc[t][r] = 0;
  }
  const uint8_t* block = a.w;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes) {
    for (size_t line = 0; line < kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(block + 4 * kBytes + line), _MM_HINT_T0);
    for (size_t t = 0; t < a.tokens; ++t) {
      const size_t at = t * a.blocks + b;
      const __m256 x_scale = _mm256_set1_ps(a.x_scale[at]);
      for (size_t v = 0; v < kVecs; ++v) {
        const __m256i sums =
            kSums(block + kScaleBytes + v * kLanes * 4, a.x + at * 32, a.x_sum[at]);
        const __m256 scale =
            _mm256_mul_ps(x_scale, _mm256_cvtph_ps(_mm_loadu_si128(
                                       reinterpret_cast<const __m128i*>(block + v * kLanes * 2))));
        float* out = acc[t] + v * kLanes;
        _mm256_storeu_ps(out,
                         _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scale, _mm256_loadu_ps(out)));
      }
    }
  }
  for (size_t t = 0; t < a.tokens; ++t) {
    float* y = a.y + t * a.ldy;
    for (size_t r = 0; r < a.rows; ++r) y[r] = a.add ? y[r] + acc[t][r] : acc[t][r];
  }
}

void quantize(const float* x, size_t n, int8_t* q, float* scale, int32_t* sum) noexcept {
  const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
  for (size_t first = 0; first < n; first += 32) {
    float block[32] = {};
    const size_t count = n - first < 32 ? n - first : 32;
    __builtin_memcpy(block, x + first, count * sizeof(float));
    __m256 top = _mm256_setzero_ps();
    for (size_t i = 0; i < 32; i += kLanes)
      top = _mm256_max_ps(top, _mm256_and_ps(_mm256_loadu_ps(block + i), no_sign));
    float tops[kLanes];
    _mm256_storeu_ps(tops, top);
    float largest = 0;
    for (const float value : tops) largest = value > largest ? value : largest;
    const __m256 factor = _mm256_set1_ps(largest > 1e-30F ? 127 / largest : 0.0F);
    int32_t total = 0;
    for (size_t i = 0; i < 32; i += kLanes) {
      int32_t whole[kLanes];
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(whole),
                          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(block + i), factor)));
      for (size_t j = 0; j < kLanes; ++j) {
        q[first + i + j] = static_cast<int8_t>(whole[j]);
        total += whole[j];
      }
    }
    scale[first / 32] = largest / 127;
    sum[first / 32] = total;
  }
}

inline float sum(__m256 a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

float scale_q4(const float* w) noexcept {
  float top = 0;
  for (size_t i = 0; i < 32; ++i) {
    if (__builtin_fabsf(w[i]) > __builtin_fabsf(top)) top = w[i];
  }
  if (__builtin_fabsf(top) < 1e-30F) return 0;
  const __m256 low = _mm256_set1_ps(-8), high = _mm256_set1_ps(7);
  float most = -1, best = 0;
  for (int step = -4; step <= 6; ++step) {
    const __m256 inverse = _mm256_set1_ps(-(8.0F + 0.25F * static_cast<float>(step)) / top);
    __m256 wq = _mm256_setzero_ps(), qq = _mm256_setzero_ps();
    for (size_t i = 0; i < 32; i += kLanes) {
      const __m256 x = _mm256_loadu_ps(w + i);
      const __m256 whole =
          _mm256_round_ps(_mm256_mul_ps(x, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      const __m256 q = _mm256_min_ps(_mm256_max_ps(whole, low), high);
      wq = _mm256_fmadd_ps(x, q, wq);
      qq = _mm256_fmadd_ps(q, q, qq);
    }
    const float a = sum(wq), b = sum(qq);
    if (b > 0 && a * a > most * b) {
      most = a * a / b;
      best = a / b;
    }
  }
  return best;
}

}  // namespace

constinit const QuantTable kQuantAvx2{gemm<kQ8Bytes, sums_q8>, gemm<kQ4Bytes, sums_q4>, quantize,
                                      scale_q4};

}  // namespace kani::cpu
