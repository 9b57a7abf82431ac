// quant_neon.cc - the quantized products for every 64-bit ARM.
#include "kani/backend/cpu/kernels/quant_neon_simd.h"

namespace kani::cpu {
namespace {

// Whole numbers that fit in eight bits.
inline void store_bytes(int8_t* to, int32x4_t numbers) {
  const int16x4_t words = vmovn_s32(numbers);
  const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
  vst1_lane_s32(reinterpret_cast<int32_t*>(to), vreinterpret_s32_s8(bytes), 0);
}

void quantize(const float* x, size_t n, const QuantInput& out) noexcept {
  const float end = out.low == nullptr ? 127 : 127 * 128;
  for (size_t first = 0; first < n; first += 32) {
    float block[32] = {};
    const size_t count = n - first < 32 ? n - first : 32;
    __builtin_memcpy(block, x + first, count * sizeof(float));
    float32x4_t tops = vdupq_n_f32(0);
    for (size_t i = 0; i < 32; i += kLanes) tops = vmaxq_f32(tops, vabsq_f32(vld1q_f32(block + i)));
    const float top = vmaxvq_f32(tops);
    const float32x4_t factor = vdupq_n_f32(top > 1e-30F ? end / top : 0.0F);
    int32_t* sums = out.sums + first / 32 * 2;
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < 32; i += kLanes) {
      const int32x4_t whole = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(block + i), factor));
      if (out.low == nullptr) {
        store_bytes(out.high + first + i, whole);
      } else {
        const int32x4_t high = vshrq_n_s32(vaddq_s32(whole, vdupq_n_s32(64)), 7);
        store_bytes(out.high + first + i, high);
        store_bytes(out.low + first + i, vsubq_s32(whole, vshlq_n_s32(high, 7)));
      }
      sums[i / 16] += vaddvq_s32(whole);
    }
    out.scale[first / 32] = top / end;
  }
}

}  // namespace

constinit const QuantTable kQuantNeon{gemm<kQ8Bytes, block_sums_q8>, gemm<kQ4Bytes, block_sums_q4>,
                                      quantize, nullptr, nullptr};

}  // namespace kani::cpu
