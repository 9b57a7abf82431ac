// language_scalar.cc - the language model's kernels in plain loops with double sums: the definition
// of right, and the way to run on a CPU that none of the other tables fits.
#include <cmath>
#include <cstring>

#include "kani/backend/cpu/kernels/language_kernels.h"

namespace kani::cpu {
namespace {

float widen(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// weight(k, r) reads one number of the block.
template <typename Weight>
void gemm(const GemmArgs& a, Weight weight) {
  for (size_t t = 0; t < a.tokens; ++t) {
    const float* x = a.x + t * a.ldx;
    float* y = a.y + t * a.ldy;
    for (size_t r = 0; r < a.rows; ++r) {
      double total = a.add ? static_cast<double>(y[r]) : 0.0;
      for (size_t k = 0; k < a.cols; ++k) total += static_cast<double>(x[k]) * weight(k, r);
      y[r] = static_cast<float>(total);
    }
  }
}

void gemm_f32(const GemmArgs& a) noexcept {
  const auto* w = static_cast<const float*>(a.w);
  gemm(a, [w](size_t k, size_t r) { return static_cast<double>(w[k * kBlockRows + r]); });
}

void gemm_bf16(const GemmArgs& a) noexcept {
  const auto* w = static_cast<const uint16_t*>(a.w);
  gemm(a, [w](size_t k, size_t r) {
    return static_cast<double>(widen(w[(k / 2 * kBlockRows + r) * 2 + k % 2]));
  });
}

double inverse_rms(const float* x, size_t n, float eps) {
  double squares = 0;
  for (size_t i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return 1.0 / std::sqrt(squares / static_cast<double>(n) + static_cast<double>(eps));
}

void rms_norm(const float* x, const float* w, float eps, size_t n, float* y) noexcept {
  const double scale = inverse_rms(x, n, eps);
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i] * scale * w[i]);
}

void silu_mul(const float* gate, const float* up, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) {
    const double z = gate[i];
    y[i] = static_cast<float>(z / (1.0 + std::exp(-z)) * up[i]);
  }
}

void norm_rope(float* x, const float* w, float eps, const float* cos, const float* sin,
               size_t head_dim) noexcept {
  const double scale = inverse_rms(x, head_dim, eps);
  const size_t half = head_dim / 2;
  for (size_t i = 0; i < half; ++i) {
    const double a = x[i] * scale * w[i];
    const double b = x[half + i] * scale * w[half + i];
    x[i] = static_cast<float>(a * cos[i] - b * sin[i]);
    x[half + i] = static_cast<float>(b * cos[i] + a * sin[i]);
  }
}

void conv_step(const float* b, const float* c, const float* x, const float* taps, size_t taps_count,
               const float* bias, const float* const* history, size_t n, float* g,
               float* y) noexcept {
  for (size_t i = 0; i < n; ++i) {
    g[i] = b[i] * x[i];
    double total = bias == nullptr ? 0.0 : static_cast<double>(bias[i]);
    for (size_t j = 0; j + 1 < taps_count; ++j) {
      total += static_cast<double>(taps[j * n + i]) * static_cast<double>(history[j][i]);
    }
    total += static_cast<double>(taps[(taps_count - 1) * n + i]) * static_cast<double>(g[i]);
    y[i] = static_cast<float>(c[i] * total);
  }
}

void attend(const AttendArgs& a) noexcept {
  const size_t padded = (a.elements + 15) / 16 * 16;
  for (size_t h = 0; h < a.group; ++h) {
    const float* q = a.q + h * a.head_dim;
    float* scores = a.scores + h * padded;
    double peak = -INFINITY;
    for (size_t s = 0; s < a.elements; ++s) {
      double score = 0;
      const float* keys = a.keys + s / 16 * a.head_dim * 16 + s % 16;
      for (size_t d = 0; d < a.head_dim; ++d) {
        score += static_cast<double>(q[d]) * static_cast<double>(keys[d * 16]);
      }
      scores[s] = static_cast<float>(score * a.scale);
      peak = std::fmax(peak, static_cast<double>(scores[s]));
    }
    double total = 0;
    for (size_t s = 0; s < a.elements; ++s) {
      scores[s] = static_cast<float>(std::exp(static_cast<double>(scores[s]) - peak));
      total += scores[s];
    }
    for (size_t d = 0; d < a.head_dim; ++d) {
      double value = 0;
      for (size_t s = 0; s < a.elements; ++s) {
        value +=
            static_cast<double>(scores[s]) * static_cast<double>(a.values[s * a.value_stride + d]);
      }
      a.y[h * a.head_dim + d] = static_cast<float>(value / total);
    }
  }
}

}  // namespace

constinit const LanguageTable kLanguageScalar{gemm_f32,  gemm_bf16, rms_norm, silu_mul,
                                              norm_rope, conv_step, attend};

}  // namespace kani::cpu
