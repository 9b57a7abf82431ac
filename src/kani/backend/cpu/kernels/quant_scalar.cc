// quant_scalar.cc - products with quantized weights in plain loops: exact sums of whole numbers
// within a block, sums of blocks in double.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/quant/blocks.h"

namespace kani::cpu {
namespace {

float widen_f16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                   : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

float scale_of(const uint8_t* block, size_t row) {
  uint16_t bits;
  std::memcpy(&bits, block + row * 2, sizeof bits);
  return widen_f16(bits);
}

// number(data, row, k) reads one q of a block.
template <typename Number>
void gemm(const QuantArgs& a, size_t block_bytes, Number number) {
  for (size_t t = 0; t < a.tokens; ++t) {
    for (size_t r = 0; r < a.rows; ++r) {
      float& y = a.y[t * a.ldy + r];
      double total = a.add ? static_cast<double>(y) : 0.0;
      for (size_t b = 0; b < a.blocks; ++b) {
        const uint8_t* block = a.w + b * block_bytes;
        int32_t sum = 0;
        for (size_t k = 0; k < 32; ++k) {
          sum += a.x[(t * a.blocks + b) * 32 + k] * number(block + kScaleBytes, r, k);
        }
        total += static_cast<double>(sum) * static_cast<double>(a.x_scale[t * a.blocks + b]) *
                 static_cast<double>(scale_of(block, r));
      }
      y = static_cast<float>(total);
    }
  }
}

void gemm_q8(const QuantArgs& a) noexcept {
  gemm(a, kQ8Bytes, [](const uint8_t* data, size_t r, size_t k) {
    return static_cast<int32_t>(static_cast<int8_t>(data[(k / 4 * kQuantRows + r) * 4 + k % 4]));
  });
}

void gemm_q4(const QuantArgs& a) noexcept {
  gemm(a, kQ4Bytes, [](const uint8_t* data, size_t r, size_t k) {
    const uint8_t both = data[(k % 16 / 4 * kQuantRows + r) * 4 + k % 4];
    return static_cast<int32_t>(k < 16 ? both & 15 : both >> 4) - 8;
  });
}

void quantize(const float* x, size_t n, int8_t* q, float* scale, int32_t* sum) noexcept {
  for (size_t first = 0; first < n; first += 32) {
    const size_t count = std::min<size_t>(32, n - first);
    float top = 0;
    for (size_t i = 0; i < count; ++i) top = std::max(top, std::fabs(x[first + i]));
    const float factor = top > 1e-30F ? 127 / top : 0.0F;
    int32_t total = 0;
    for (size_t i = 0; i < 32; ++i) {
      const auto value =
          static_cast<int8_t>(i < count ? std::nearbyint(x[first + i] * factor) : 0.0F);
      q[first + i] = value;
      total += value;
    }
    scale[first / 32] = top / 127;
    sum[first / 32] = total;
  }
}

float scale_of_32(const float* w) noexcept { return scale_q4({w, kQuantBlock}); }

}  // namespace

constinit const QuantTable kQuantScalar{gemm_q8, gemm_q4, quantize, scale_of_32};

}  // namespace kani::cpu
