// quant_neon_simd.h - products with quantized weights for NEON: four rows in the lanes, four
// neighbours of each a lane.  Included by quant_neon.cc and quant_neondot.cc, which are compiled
// without and with the instructions for dot products.  The reference is quant_scalar.cc.
#pragma once

#include <arm_neon.h>

#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/backend/cpu/kernels/quant_levels.h"

namespace kani::cpu {
namespace {

constexpr size_t kLanes = 4;
constexpr size_t kVecs = kQuantRows / kLanes;
constexpr size_t kLine = kQuantRows * 4;  // bytes of four neighbours of all rows

// Four neighbours of x in all lanes.
inline int8x16_t four(const int8_t* p) {
  int32_t all;
  __builtin_memcpy(&all, p, sizeof all);
  return vreinterpretq_s8_s32(vdupq_n_s32(all));
}

// sum + the four products of each lane.
inline int32x4_t add_products(int32x4_t sum, int8x16_t w, int8x16_t x) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sum, w, x);
#else
  // Sums of two products are at most 2 * 127 * 127 and fit in 16 bits.
  const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
  return vpadalq_s16(sum, vpaddq_s16(low, vmull_high_s8(w, x)));
#endif
}

// The whole sums of both groups of four rows; `data` are the rows' numbers.
inline void block_sums_q8(const uint8_t* data, const int8_t* high, const int8_t* low,
                          int32x4_t (&sums)[2]) {
  for (size_t group = 0; group < 2; ++group) {
    int32x4_t coarse = vdupq_n_s32(0), fine = coarse;
    for (size_t g = 4 * group; g < 4 * group + 4; ++g) {
      const int8x16_t w = vreinterpretq_s8_u8(vld1q_u8(data + g * kLine));
      coarse = add_products(coarse, w, four(high + 4 * g));
      fine = add_products(fine, w, four(low + 4 * g));
    }
    sums[group] = vaddq_s32(vshlq_n_s32(coarse, 7), fine);
  }
}

inline void block_sums_q4(const uint8_t* data, const int8_t* x, const int8_t*,
                          int32x4_t (&sums)[2]) {
  const int8x16_t levels = vld1q_s8(kLevels.as_int8);
  sums[0] = sums[1] = vdupq_n_s32(0);
  for (size_t g = 0; g < 4; ++g) {
    const uint8x16_t both = vld1q_u8(data + g * kLine);
    const int8x16_t first = vqtbl1q_s8(levels, vandq_u8(both, vdupq_n_u8(15)));
    const int8x16_t second = vqtbl1q_s8(levels, vshrq_n_u8(both, 4));
    sums[0] = add_products(sums[0], first, four(x + 4 * g));
    sums[1] = add_products(sums[1], second, four(x + 16 + 4 * g));
  }
}

inline float32x4_t scales_at(const uint8_t* block, size_t group, size_t vec) {
  int32_t bytes;
  __builtin_memcpy(&bytes, block + group * kQuantRows + vec * kLanes, sizeof bytes);
  const int16x8_t words = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(bytes)));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)));
}

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
      const int8_t* low = a.x.low == nullptr ? nullptr : a.x.low + at * 32;
      for (size_t v = 0; v < kVecs; ++v) {
        int32x4_t sums[2];
        kSums(block + kGroupScaleBytes + v * kLanes * 4, a.x.high + at * 32, low, sums);
        const float32x4_t first = vmulq_f32(vcvtq_f32_s32(sums[0]), scales_at(block, 0, v));
        const float32x4_t both = vfmaq_f32(first, vcvtq_f32_s32(sums[1]), scales_at(block, 1, v));
        float* out = acc[t] + v * kLanes;
        vst1q_f32(out, vfmaq_n_f32(vld1q_f32(out), both, a.x.scale[at]));
      }
    }
  }
  for (size_t t = 0; t < a.tokens; ++t) {
    float* y = a.y + t * a.ldy;
    for (size_t r = 0; r < a.rows; ++r) {
      float row_scale;
      __builtin_memcpy(&row_scale, a.w + r * sizeof row_scale, sizeof row_scale);
      y[r] = __builtin_fmaf(acc[t][r], row_scale, a.add ? y[r] : 0.0F);
    }
  }
}

}  // namespace
}  // namespace kani::cpu
