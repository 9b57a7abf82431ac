// quant_scalar.cc - products with quantized weights in plain loops: exact sums of whole numbers
// within a group, sums of groups in double.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/quant/blocks.h"

namespace kani::cpu {
namespace {

// number(data, row, k) reads one number of a block.
template <typename Number>
void gemm(const QuantArgs& a, size_t block_bytes, Number number) {
  for (size_t t = 0; t < a.tokens; ++t) {
    for (size_t r = 0; r < a.rows; ++r) {
      double total = 0;
      for (size_t b = 0; b < a.blocks; ++b) {
        const uint8_t* block = a.w + kRowScaleBytes + b * block_bytes;
        const size_t at = t * a.blocks + b;
        int32_t sums[2] = {};
        for (size_t k = 0; k < 32; ++k) {
          int32_t x = a.x.high[at * 32 + k];
          if (a.x.low != nullptr) x = 128 * x + a.x.low[at * 32 + k];
          sums[k / 16] += x * number(block + kGroupScaleBytes, r, k);
        }
        for (size_t g = 0; g < 2; ++g) {
          total += static_cast<double>(sums[g]) * static_cast<double>(a.x.scale[at]) *
                   static_cast<int8_t>(block[g * kQuantRows + r]);
        }
      }
      float row_scale;
      std::memcpy(&row_scale, a.w + r * sizeof row_scale, sizeof row_scale);
      float& y = a.y[t * a.ldy + r];
      y = static_cast<float>(total * static_cast<double>(row_scale) +
                             (a.add ? static_cast<double>(y) : 0.0));
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
    return static_cast<int32_t>(kQ4Levels[k < 16 ? both & 15 : both >> 4]);
  });
}

void quantize(const float* x, size_t n, const QuantInput& out) noexcept {
  const float end = out.low == nullptr ? 127 : 127 * 128;
  for (size_t first = 0; first < n; first += 32) {
    const size_t count = std::min<size_t>(32, n - first);
    float top = 0;
    for (size_t i = 0; i < count; ++i) top = std::max(top, std::fabs(x[first + i]));
    const float factor = top > 1e-30F ? end / top : 0.0F;
    int32_t* sums = out.sums + first / 32 * 2;
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < 32; ++i) {
      const auto whole =
          static_cast<int32_t>(i < count ? std::nearbyint(x[first + i] * factor) : 0.0F);
      const int32_t high = out.low == nullptr ? whole : (whole + 64) >> 7;
      out.high[first + i] = static_cast<int8_t>(high);
      if (out.low != nullptr) out.low[first + i] = static_cast<int8_t>(whole - high * 128);
      sums[i / 16] += whole;
    }
    out.scale[first / 32] = top / end;
  }
}

float row_q8(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  return quantize_row_q8({w, groups * kQuantGroup}, {{scales, groups}, {q, groups * kQuantGroup}});
}

float row_q4(const float* w, size_t groups, int8_t* scales, int8_t* q) noexcept {
  return quantize_row_q4({w, groups * kQuantGroup}, {{scales, groups}, {q, groups * kQuantGroup}});
}

}  // namespace

constinit const QuantTable kQuantScalar{gemm_q8, gemm_q4, quantize, row_q8, row_q4};

}  // namespace kani::cpu
