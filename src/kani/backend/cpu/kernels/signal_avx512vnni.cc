// signal_avx512vnni.cc - convolutions of bytes with VPDPBUSD: four multiply-adds a lane where
// float32 has one.  The reference is signal_scalar.cc.
//
// The sums of one tap are whole numbers, exact in any order; then they are scaled, each column by
// its own scale, and added to float32 sums.  So half of the registers hold whole sums and half
// float32 ones, and a block has fewer rows than one of float32.
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"

namespace kani::cpu {
namespace {

// With the intrinsic g++ 12 copies every sum to another register first; the instruction itself adds
// in place.
inline __m512i add_products(__m512i sum, Vec cell, Vec weight) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(cell.v), "v"(weight.v));
  return sum;
}
inline __m256i add_products(__m256i sum, HalfVec cell, HalfVec weight) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(cell.v), "v"(weight.v));
  return sum;
}
inline __m512i bits(Vec x) { return _mm512_castps_si512(x.v); }
inline __m256i bits(HalfVec x) { return _mm256_castps_si256(x.v); }
inline Vec to_float(__m512i x) { return {_mm512_cvtepi32_ps(x)}; }
inline HalfVec to_float(__m256i x) { return {_mm256_cvtepi32_ps(x)}; }

struct ByteBlock {
  template <typename L, size_t kRows, size_t kVecs, bool kPart>
  static void run(const ConvTile& a, size_t col, size_t last) noexcept {
    using V = typename L::V;
    constexpr size_t kWidth = L::kWidth;
    const auto get = [last](const float* p, size_t v) {
      return kPart && v + 1 == kVecs ? L::at(p + v * kWidth, last) : L::at(p + v * kWidth);
    };
    V acc[kRows][kVecs];
    KANI_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) acc[r][v] = L::all(0.0F);
    }
    const float* w = a.weight;
    const float* offset = a.weight + a.taps * a.inputs * kRows;
    const float* row = a.x + col;
    for (size_t j = 0; j < a.taps; ++j, row += a.dilation, offset += kRows) {
      decltype(bits(V{})) sum[kRows][kVecs];
      KANI_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        KANI_UNROLL
        for (size_t v = 0; v < kVecs; ++v) sum[r][v] = bits(L::all(offset[r]));
      }
      const float* x = row;
      for (size_t i = 0; i < a.inputs; ++i, x += a.x_stride, w += kRows) {
        if constexpr (kPart) prefetch(w + kAhead);
        V cells[kVecs];
        KANI_UNROLL
        for (size_t v = 0; v < kVecs; ++v) cells[v] = get(x, v);
        KANI_UNROLL
        for (size_t r = 0; r < kRows; ++r) {
          const V weight = L::all(w[r]);
          KANI_UNROLL
          for (size_t v = 0; v < kVecs; ++v) sum[r][v] = add_products(sum[r][v], cells[v], weight);
        }
      }
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) {
        const V scale = get(x, v);  // the row behind the last cells
        KANI_UNROLL
        for (size_t r = 0; r < kRows; ++r) acc[r][v] = fma(to_float(sum[r][v]), scale, acc[r][v]);
      }
    }
    KANI_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const V scale = L::all(offset[r]), bias = L::all(a.bias[r]);
      KANI_UNROLL
      for (size_t v = 0; v < kVecs; ++v) acc[r][v] = fma(acc[r][v], scale, bias);
    }
    put_block<L, kRows, kVecs, kPart>(a, col, last, acc);
  }
};

inline Vec absolute(Vec x) { return {_mm512_abs_ps(x.v)}; }

// Sixteen columns at a time: all channels are activated, then divided by the largest.
void pack_i8(const PackTile& a) noexcept {
  const size_t cells = (a.rows + 3) / 4;
  for_lanes(a.cols, [&](size_t t, size_t n) {
    Vec most = zero();
    for (size_t row = 0; row < a.rows; ++row) {
      const Vec value = channel(a, row)(load_n(a.x + row * a.x_stride + t, n));
      store(a.room + row * kLanes, value);
      most = max(most, absolute(value));
    }
    const __mmask16 some = _mm512_cmp_ps_mask(most.v, set1(1e-30F).v, _CMP_GT_OQ);
    const Vec factor{_mm512_maskz_div_ps(some, set1(127.0F).v, most.v)};
    const __m512i middle = _mm512_set1_epi32(128);
    for (size_t cell = 0; cell < cells; ++cell) {
      __m512i packed = _mm512_setzero_si512();
      for (size_t i = 0; i < 4; ++i) {
        const size_t row = 4 * cell + i;
        const Vec value = row < a.rows ? load(a.room + row * kLanes) : zero();
        const __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32((value * factor).v), middle);
        packed = _mm512_or_si512(packed, _mm512_slli_epi32(whole, static_cast<unsigned>(8 * i)));
      }
      store_n(a.y + cell * a.y_stride + t, {_mm512_castsi512_ps(packed)}, n);
    }
    store_n(a.y + cells * a.y_stride + t, most * set1(1 / 127.0F), n);
  });
}

static_assert(kLanes == kPackLanes);

}  // namespace

constinit const SignalTable kSignalAvx512Vnni{.conv = {},
                                              .split = nullptr,
                                              .join = nullptr,
                                              .half_snake = nullptr,
                                              .upsample = nullptr,
                                              .conv_bf16 = {},
                                              .pack_bf16 = nullptr,
                                              .conv_i8 = {conv<ByteBlock, 6, 2>, 6, 2 * kLanes},
                                              .pack_i8 = pack_i8};

}  // namespace kani::cpu
