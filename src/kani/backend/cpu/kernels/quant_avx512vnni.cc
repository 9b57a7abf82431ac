// quant_avx512vnni.cc - products with quantized weights by VPDPBUSD: sixteen rows in the lanes,
// four neighbours of each multiplied and added at once.  The reference is quant_scalar.cc.
#include <immintrin.h>

#include "kani/backend/cpu/kernels/quant_kernels.h"

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

// The numbers as unsigned ones: 8 bits plus 128, 4 bits plus 8.
template <size_t kBytes>
constexpr int kOffset = kBytes == kQ8Bytes ? 128 : 8;

// Eight lines of unsigned numbers of one register of rows.
template <size_t kBytes>
inline void read_lines(const uint8_t* data, __m512i (&lines)[8]) {
  if constexpr (kBytes == kQ8Bytes) {
    KANI_UNROLL
    for (size_t g = 0; g < 8; ++g) {
      lines[g] = _mm512_xor_si512(_mm512_loadu_si512(data + g * kLine), _mm512_set1_epi8(-128));
    }
  } else {
    const __m512i mask = _mm512_set1_epi8(15);
    KANI_UNROLL
    for (size_t g = 0; g < 4; ++g) {
      const __m512i both = _mm512_loadu_si512(data + g * kLine);
      lines[g] = _mm512_and_si512(both, mask);
      lines[g + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
    }
  }
}

inline __m512 scales_at(const uint8_t* block, size_t vec) {
  return _mm512_cvtph_ps(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + vec * kLanes * 2)));
}

inline void put(const QuantArgs& a, size_t token, size_t vec, __m512 value) {
  const size_t row = vec * kLanes;
  if (row >= a.rows) return;
  const size_t left = a.rows - row;
  const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFFu : (1u << left) - 1);
  float* y = a.y + token * a.ldy + row;
  if (a.add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, y));
  _mm512_mask_storeu_ps(y, mask, value);
}

// One token: memory is read strictly in order.
template <size_t kBytes>
void gemv(const QuantArgs& a) noexcept {
  __m512 acc[kVecs];
  KANI_UNROLL
  for (size_t v = 0; v < kVecs; ++v) acc[v] = _mm512_setzero_ps();
  const uint8_t* block = a.w;
  const int8_t* x = a.x;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes, x += 32) {
    for (size_t line = 0; line < kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(block + kAhead + line), _MM_HINT_T0);
    const __m512i start = _mm512_set1_epi32(-kOffset<kBytes> * a.x_sum[b]);
    const __m512 x_scale = _mm512_set1_ps(a.x_scale[b]);
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) {
      __m512i lines[8];
      read_lines<kBytes>(block + kScaleBytes + v * kLanes * 4, lines);
      __m512i even = start, odd = _mm512_setzero_si512();
      KANI_UNROLL
      for (size_t g = 0; g < 8; g += 2) {
        even = add_products(even, x + 4 * g, lines[g]);
        odd = add_products(odd, x + 4 * g + 4, lines[g + 1]);
      }
      const __m512 sums = _mm512_cvtepi32_ps(_mm512_add_epi32(even, odd));
      acc[v] = _mm512_fmadd_ps(sums, _mm512_mul_ps(x_scale, scales_at(block, v)), acc[v]);
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
  const uint8_t* block = a.w;
  for (size_t b = 0; b < a.blocks; ++b, block += kBytes) {
    for (size_t line = 0; line < kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(block + kAhead + line), _MM_HINT_T0);
    for (size_t v = 0; v < kVecs; ++v) {
      __m512i lines[8];
      read_lines<kBytes>(block + kScaleBytes + v * kLanes * 4, lines);
      const __m512 scales = scales_at(block, v);
      for (size_t t = 0; t < a.tokens; ++t) {
        const size_t at = t * a.blocks + b;
        const int8_t* x = a.x + at * 32;
        __m512i even = _mm512_set1_epi32(-kOffset<kBytes> * a.x_sum[at]);
        __m512i odd = _mm512_setzero_si512();
        KANI_UNROLL
        for (size_t g = 0; g < 8; g += 2) {
          even = add_products(even, x + 4 * g, lines[g]);
          odd = add_products(odd, x + 4 * g + 4, lines[g + 1]);
        }
        const __m512 sums = _mm512_cvtepi32_ps(_mm512_add_epi32(even, odd));
        const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(a.x_scale[at]), scales);
        _mm512_store_ps(acc[v][t], _mm512_fmadd_ps(sums, scale, _mm512_load_ps(acc[v][t])));
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

void quantize(const float* x, size_t n, int8_t* q, float* scale, int32_t* sum) noexcept {
  for (size_t first = 0; first < n; first += 32) {
    const size_t count = n - first < 32 ? n - first : 32;
    const auto mask = static_cast<__mmask32>(count == 32 ? 0xFFFFFFFFu : (1u << count) - 1);
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), x + first);
    const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), x + first + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high)));
    const __m512 factor = _mm512_set1_ps(top > 1e-30F ? 127 / top : 0.0F);
    const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(low, factor));
    const __m512i b = _mm512_cvtps_epi32(_mm512_mul_ps(high, factor));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q + first), _mm512_cvtepi32_epi8(a));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q + first + 16), _mm512_cvtepi32_epi8(b));
    scale[first / 32] = top / 127;
    sum[first / 32] = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
  }
}

}  // namespace

constinit const QuantTable kQuantAvx512Vnni{gemm<kQ8Bytes>, gemm<kQ4Bytes>, quantize, nullptr};

}  // namespace kani::cpu
