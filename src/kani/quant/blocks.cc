// blocks.cc - see blocks.h.
#include "kani/quant/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kani/base/numbers.h"

namespace kani {
namespace {

float largest(std::span<const float> w) {
  float top = 0;
  for (const float x : w) {
    if (std::fabs(x) > std::fabs(top)) top = x;
  }
  return top;
}

// As a float16 can hold it; weights beyond its range do not occur in networks that were trained.
float as_f16(float scale) { return f16_to_f32(f32_to_f16(scale)); }

void round_to(std::span<const float> w, float scale, int low, int high, QuantBlock& block) {
  const float inverse = scale == 0 ? 0 : 1 / scale;
  for (size_t i = 0; i < w.size(); ++i) {
    const float q = std::nearbyint(w[i] * inverse);
    block.q[i] =
        static_cast<int8_t>(std::clamp(q, static_cast<float>(low), static_cast<float>(high)));
  }
  block.scale = scale;
}

}  // namespace

QuantBlock quantize_q8(std::span<const float> w) {
  QuantBlock block{};
  round_to(w, as_f16(std::fabs(largest(w)) / 127), -127, 127, block);
  return block;
}

// For given whole numbers the best scale is sum(w q) / sum(q^2), and the squared error that is then
// left is sum(w^2) - sum(w q)^2 / sum(q^2).
float scale_q4(std::span<const float> w) {
  const float top = largest(w);
  float most = -1, best = 0;
  if (std::fabs(top) < 1e-30F) return 0;
  // The end of the range at 7 to 9.5 instead of 8: beyond it the largest weight is cut off.
  for (int step = -4; step <= 6; ++step) {
    const float inverse = -(8.0F + 0.25F * static_cast<float>(step)) / top;
    float wq = 0, qq = 0;
    for (const float x : w) {
      const float q = std::clamp(std::nearbyint(x * inverse), -8.0F, 7.0F);
      wq += x * q;
      qq += q * q;
    }
    if (qq > 0 && wq * wq > most * qq) {
      most = wq * wq / qq;
      best = wq / qq;
    }
  }
  return best;
}

QuantBlock with_scale_q4(std::span<const float> w, float scale) {
  QuantBlock block{};
  round_to(w, as_f16(scale), -8, 7, block);
  return block;
}

QuantBlock quantize_q4(std::span<const float> w) { return with_scale_q4(w, scale_q4(w)); }

}  // namespace kani
