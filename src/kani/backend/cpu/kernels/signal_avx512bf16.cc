// signal_avx512bf16.cc - convolutions of bfloat16 with VDPBF16PS: two multiply-adds a lane where
// float32 has one.  The reference is signal_scalar.cc.
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"

namespace kani::cpu {
namespace {

// With the intrinsic g++ 12 copies every sum to another register first; the instruction itself adds
// in place.
struct Bf16Pair {
  static Vec add_products(Vec weight, Vec cell, Vec sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(cell.v), "v"(weight.v));
    return sum;
  }
  static HalfVec add_products(HalfVec weight, HalfVec cell, HalfVec sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(cell.v), "v"(weight.v));
    return sum;
  }
};

// The low half of each cell from `even`, the high one from `odd`.
inline Vec to_pairs(Vec even, Vec odd) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even.v));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd.v));
  return {_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)))};
}

void pack_bf16(const PackTile& a) noexcept {
  for (size_t row = 0; row < a.rows; row += 2) {
    const bool both = row + 1 < a.rows;
    const float* x = a.x + row * a.x_stride;
    const float* beside = both ? x + a.x_stride : x;
    float* y = a.y + row / 2 * a.y_stride;
    const Channel even = channel(a, row), odd = channel(a, row + 1);
    for_lanes(a.cols, [&](size_t t, size_t n) {
      const Vec second = both ? odd(load_n(beside + t, n)) : zero();
      store_n(y + t, to_pairs(even(load_n(x + t, n)), second), n);
    });
  }
}

}  // namespace

constinit const SignalTable kSignalAvx512Bf16{
    .conv = {},
    .split = nullptr,
    .join = nullptr,
    .half_snake = nullptr,
    .upsample = nullptr,
    .conv_bf16 = {conv<Block<Bf16Pair>, 9, 3>, 9, 3 * kLanes},
    .pack_bf16 = pack_bf16,
    .conv_i8 = {},
    .pack_i8 = nullptr};

}  // namespace kani::cpu
