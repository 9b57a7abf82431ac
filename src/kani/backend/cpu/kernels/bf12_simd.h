// bf12_simd.h - bodies of the kernels for bf16 in 12 bits, written once over simd.h and a vector of
// bytes; included by each ISA file.  The reference is bf12_scalar.cc.
// Legend: see bf12_kernels.h.
#pragma once

#include "kani/backend/cpu/kernels/bf12_kernels.h"
#include "kani/backend/cpu/kernels/language_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

#define KANI_UNROLL _Pragma("GCC unroll 16")

namespace kani::cpu {
namespace {

// Vectors of bytes and of 16-bit numbers.  join() interleaves the low (high) halves of each 128
// bits.
#if defined(__AVX512F__)
struct Bytes {
  __m512i v;
};
constexpr size_t kBytes = 64;
inline Bytes load_bytes(const void* p) { return {_mm512_loadu_si512(p)}; }
inline void store_bytes(void* p, Bytes a) { _mm512_storeu_si512(p, a.v); }
inline Bytes table16(const uint8_t* p) {
  return {_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline Bytes all8(int x) { return {_mm512_set1_epi8(static_cast<char>(x))}; }
inline Bytes all16(int x) { return {_mm512_set1_epi16(static_cast<short>(x))}; }
inline Bytes operator&(Bytes a, Bytes b) { return {_mm512_and_si512(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {_mm512_or_si512(a.v, b.v)}; }
inline Bytes lookup(Bytes table, Bytes index) { return {_mm512_shuffle_epi8(table.v, index.v)}; }
template <int kBits>
inline Bytes right16(Bytes a) {
  return {_mm512_srli_epi16(a.v, kBits)};
}
template <int kBits>
inline Bytes left16(Bytes a) {
  return {_mm512_slli_epi16(a.v, kBits)};
}
inline Bytes minus16(Bytes a, Bytes b) { return {_mm512_sub_epi16(a.v, b.v)}; }
inline Bytes largest16(Bytes a, Bytes b) { return {_mm512_max_epu16(a.v, b.v)}; }
/// All ones where a < b, as unsigned numbers below 2^15.
inline Bytes less16(Bytes a, Bytes b) {
  return {_mm512_movm_epi16(_mm512_cmplt_epi16_mask(a.v, b.v))};
}
/// a where the mask is all ones, else b.
inline Bytes choose(Bytes mask, Bytes a, Bytes b) {
  return {_mm512_ternarylogic_epi32(mask.v, a.v, b.v, 0xCA)};
}
inline bool any(Bytes a) { return _mm512_test_epi32_mask(a.v, a.v) != 0; }
inline Pairs join_low(Bytes a, Bytes b) { return {_mm512_unpacklo_epi8(a.v, b.v)}; }
inline Pairs join_high(Bytes a, Bytes b) { return {_mm512_unpackhi_epi8(a.v, b.v)}; }
/// The low bytes of the 16-bit numbers: inverse of the two above.
inline Bytes split(Bytes low, Bytes high) { return {_mm512_packus_epi16(low.v, high.v)}; }
inline Bytes bytes_of(Pairs p) { return {p.v}; }

#elif defined(__AVX2__)
struct Bytes {
  __m256i v;
};
constexpr size_t kBytes = 32;
inline Bytes load_bytes(const void* p) {
  return {_mm256_loadu_si256(static_cast<const __m256i*>(p))};
}
inline void store_bytes(void* p, Bytes a) { _mm256_storeu_si256(static_cast<__m256i*>(p), a.v); }
inline Bytes table16(const uint8_t* p) {
  return {_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline Bytes all8(int x) { return {_mm256_set1_epi8(static_cast<char>(x))}; }
inline Bytes all16(int x) { return {_mm256_set1_epi16(static_cast<short>(x))}; }
inline Bytes operator&(Bytes a, Bytes b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {_mm256_or_si256(a.v, b.v)}; }
inline Bytes lookup(Bytes table, Bytes index) { return {_mm256_shuffle_epi8(table.v, index.v)}; }
template <int kBits>
inline Bytes right16(Bytes a) {
  return {_mm256_srli_epi16(a.v, kBits)};
}
template <int kBits>
inline Bytes left16(Bytes a) {
  return {_mm256_slli_epi16(a.v, kBits)};
}
inline Bytes minus16(Bytes a, Bytes b) { return {_mm256_sub_epi16(a.v, b.v)}; }
inline Bytes largest16(Bytes a, Bytes b) { return {_mm256_max_epu16(a.v, b.v)}; }
inline Bytes less16(Bytes a, Bytes b) { return {_mm256_cmpgt_epi16(b.v, a.v)}; }
inline Bytes choose(Bytes mask, Bytes a, Bytes b) { return {_mm256_blendv_epi8(b.v, a.v, mask.v)}; }
inline bool any(Bytes a) { return _mm256_testz_si256(a.v, a.v) == 0; }
inline Pairs join_low(Bytes a, Bytes b) { return {_mm256_unpacklo_epi8(a.v, b.v)}; }
inline Pairs join_high(Bytes a, Bytes b) { return {_mm256_unpackhi_epi8(a.v, b.v)}; }
inline Bytes split(Bytes low, Bytes high) { return {_mm256_packus_epi16(low.v, high.v)}; }
inline Bytes bytes_of(Pairs p) { return {p.v}; }

#elif defined(__ARM_NEON)
struct Bytes {
  uint8x16_t v;
};
constexpr size_t kBytes = 16;
inline Bytes load_bytes(const void* p) { return {vld1q_u8(static_cast<const uint8_t*>(p))}; }
inline void store_bytes(void* p, Bytes a) { vst1q_u8(static_cast<uint8_t*>(p), a.v); }
inline Bytes table16(const uint8_t* p) { return load_bytes(p); }
inline Bytes all8(int x) { return {vdupq_n_u8(static_cast<uint8_t>(x))}; }
inline Bytes from16(uint16x8_t a) { return {vreinterpretq_u8_u16(a)}; }
inline uint16x8_t as16(Bytes a) { return vreinterpretq_u16_u8(a.v); }
inline Bytes all16(int x) { return from16(vdupq_n_u16(static_cast<uint16_t>(x))); }
inline Bytes operator&(Bytes a, Bytes b) { return {vandq_u8(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {vorrq_u8(a.v, b.v)}; }
inline Bytes lookup(Bytes table, Bytes index) { return {vqtbl1q_u8(table.v, index.v)}; }
template <int kBits>
inline Bytes right16(Bytes a) {
  return from16(vshrq_n_u16(as16(a), kBits));
}
template <int kBits>
inline Bytes left16(Bytes a) {
  return from16(vshlq_n_u16(as16(a), kBits));
}
inline Bytes minus16(Bytes a, Bytes b) { return from16(vsubq_u16(as16(a), as16(b))); }
inline Bytes largest16(Bytes a, Bytes b) { return from16(vmaxq_u16(as16(a), as16(b))); }
inline Bytes less16(Bytes a, Bytes b) { return from16(vcltq_u16(as16(a), as16(b))); }
inline Bytes choose(Bytes mask, Bytes a, Bytes b) { return {vbslq_u8(mask.v, a.v, b.v)}; }
inline bool any(Bytes a) { return vmaxvq_u8(a.v) != 0; }
inline Pairs join_low(Bytes a, Bytes b) { return {vreinterpretq_u32_u8(vzip1q_u8(a.v, b.v))}; }
inline Pairs join_high(Bytes a, Bytes b) { return {vreinterpretq_u32_u8(vzip2q_u8(a.v, b.v))}; }
inline Bytes split(Bytes low, Bytes high) { return {vuzp1q_u8(low.v, high.v)}; }
inline Bytes bytes_of(Pairs p) { return {vreinterpretq_u8_u32(p.v)}; }
#endif

constexpr size_t kNumbers = kBlockRows * 2;  // of one pair of columns
constexpr size_t kPieces = 64 / kBytes;      // vectors in 64 bytes
constexpr size_t kSecond = 16 / kLanes;      // from a vector of rows to the one interleaved with it

/// What a code's exponent contributes to the low and to the high byte of a bf16.
struct Exponents {
  Bytes low;
  Bytes high;
};
inline Exponents exponents_of(const Bf12Block& block) {
  uint8_t low[16], high[16];
  for (int code = 0; code < 15; ++code) {
    low[code] = static_cast<uint8_t>((block.lowest + code) << 7);
    high[code] = static_cast<uint8_t>((block.lowest + code) >> 1);
  }
  low[15] = high[15] = 0;
  return {table16(low), table16(high)};
}

/// All 128 numbers of a pair of columns: put(v, numbers) gets rows v * kLanes … of both columns.
template <typename Put>
inline void unpack_pair(const uint8_t* pair, const Exponents& exponents, Put put) {
  const Bytes low_half = all8(0x0F), sign = all8(0x80), fraction = all8(0x7F);
  KANI_UNROLL
  for (size_t piece = 0; piece < kPieces; ++piece) {
    const Bytes codes = load_bytes(pair + piece * kBytes);
    const Bytes halves[2] = {codes & low_half, right16<4>(codes) & low_half};
    KANI_UNROLL
    for (size_t half = 0; half < 2; ++half) {
      const Bytes rest = load_bytes(pair + 64 + half * 64 + piece * kBytes);
      const Bytes low = (rest & fraction) | lookup(exponents.low, halves[half]);
      const Bytes high = (rest & sign) | lookup(exponents.high, halves[half]);
      const size_t v = half * 2 * kSecond + piece;
      put(v, join_low(low, high));
      put(v + kSecond, join_high(low, high));
    }
  }
}

// Vectors that a call takes: their sums must stay in registers beside the weights.
#if defined(__AVX512F__)
constexpr size_t kTokens = 5;
#else
constexpr size_t kTokens = 1;
#endif

template <size_t kCount>
void gemm_tokens(const Bf12Args& a) noexcept {
  constexpr size_t kVecs = kBlockRows / kLanes;
  const Exponents exponents = exponents_of(a.block);
  Vec acc[kCount][kVecs];
  for (auto& row : acc) {
    for (Vec& one : row) one = zero();
  }
  const uint8_t* pair = a.block.packed;
  for (size_t k = 0; k < a.cols; k += 2, pair += kBf12PairBytes) {
    if (a.ahead != 0) {
      KANI_UNROLL
      for (size_t line = 0; line < kBf12PairBytes; line += 64)
        __builtin_prefetch(pair + a.ahead + line);
    }
    Vec x0[kCount], x1[kCount];
    KANI_UNROLL
    for (size_t t = 0; t < kCount; ++t) {
      const float* x = a.x + t * a.ldx + k;
      x0[t] = set1(x[0]);
      x1[t] = k + 1 < a.cols ? set1(x[1]) : zero();
    }
    unpack_pair(pair, exponents, [&](size_t v, Pairs w) {
      const Vec first = even(w), second = odd(w);
      KANI_UNROLL
      for (size_t t = 0; t < kCount; ++t) {
        acc[t][v] = fma(first, x0[t], acc[t][v]);
        acc[t][v] = fma(second, x1[t], acc[t][v]);
      }
    });
  }
  for (size_t t = 0; t < kCount; ++t) {
    float* y = a.y + t * a.ldy;
    KANI_UNROLL
    for (size_t v = 0; v < kVecs; ++v) {
      const size_t row = v * kLanes;
      if (row >= a.rows) break;
      const size_t count = a.rows - row < kLanes ? a.rows - row : kLanes;
      store_n(y + row, a.add ? acc[t][v] + load_n(y + row, count) : acc[t][v], count);
    }
  }
}

template <size_t kMost>
inline void gemm_up_to(const Bf12Args& a) noexcept {
  if constexpr (kMost > 1) {
    if (a.tokens < kMost) return gemm_up_to<kMost - 1>(a);
  }
  gemm_tokens<kMost>(a);
}
inline void gemm(const Bf12Args& a) noexcept { gemm_up_to<kTokens>(a); }

inline void expand(const Bf12Block& block, uint16_t* plain) noexcept {
  const Exponents exponents = exponents_of(block);
  const uint8_t* pair = block.packed;
  for (size_t p = 0; p < block.pairs; ++p, pair += kBf12PairBytes, plain += kNumbers) {
    unpack_pair(pair, exponents,
                [&](size_t v, Pairs w) { store_bytes(plain + v * kLanes * 2, bytes_of(w)); });
  }
}

inline size_t pack(const uint16_t* plain, size_t pairs, uint8_t lowest, uint8_t* packed,
                   RareWeight* rare, size_t capacity) noexcept {
  const Bytes nothing = all16(0), first = all16(lowest), none = all16(15);
  size_t count = 0;
  for (size_t p = 0; p < pairs; ++p, packed += kBf12PairBytes, plain += kNumbers) {
    bool some_rare = false;
    for (size_t piece = 0; piece < kPieces; ++piece) {
      Bytes codes[2];
      for (size_t half = 0; half < 2; ++half) {
        Bytes code[2], rest[2];
        for (size_t second = 0; second < 2; ++second) {
          const Bytes w = load_bytes(plain + half * 64 + second * 32 + piece * kBytes / 2);
          const Bytes exponent = right16<7>(w) & all16(0xFF);
          const Bytes below = less16(exponent, first);
          const Bytes is_rare = below & less16(nothing, exponent);
          some_rare = some_rare || any(is_rare);
          code[second] = choose(below, none, minus16(exponent, first));
          rest[second] =
              choose(is_rare, nothing, (right16<8>(w) & all16(0x80)) | (w & all16(0x7F)));
        }
        codes[half] = split(code[0], code[1]);
        store_bytes(packed + 64 + half * 64 + piece * kBytes, split(rest[0], rest[1]));
      }
      store_bytes(packed + piece * kBytes, codes[0] | left16<4>(codes[1]));
    }
    if (!some_rare) continue;
    for (size_t n = 0; n < kNumbers; ++n) {
      const int exponent = plain[n] >> 7 & 0xFF;
      if (exponent == 0 || exponent >= lowest) continue;
      if (count < capacity) {
        const uint32_t bits = static_cast<uint32_t>(plain[n]) << 16;
        rare[count] = {static_cast<uint32_t>(2 * p + n % 2), static_cast<uint32_t>(n / 2), 0};
        __builtin_memcpy(&rare[count].value, &bits, sizeof bits);
      }
      ++count;
    }
  }
  return count;
}

inline uint8_t largest_exponent(const uint16_t* numbers, size_t count) noexcept {
  constexpr size_t kWords = kBytes / 2;
  Bytes top = all16(0);
  size_t i = 0;
  for (; i + kWords <= count; i += kWords)
    top = largest16(top, load_bytes(numbers + i) & all16(0x7F80));
  uint16_t tops[kWords];
  store_bytes(tops, top);
  uint16_t most = 0;
  for (const uint16_t one : tops) most = one > most ? one : most;
  for (; i < count; ++i) {
    const auto one = static_cast<uint16_t>(numbers[i] & 0x7F80);
    most = one > most ? one : most;
  }
  return static_cast<uint8_t>(most >> 7);
}

}  // namespace
}  // namespace kani::cpu
