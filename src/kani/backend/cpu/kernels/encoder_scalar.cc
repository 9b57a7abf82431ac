// encoder_scalar.cc - the speaker encoder's kernels in plain loops with sums in double: what
// "right" means for the others.
#include <algorithm>
#include <cmath>

#include "kani/backend/cpu/kernels/encoder_kernels.h"

namespace kani::cpu {
namespace {

double gelu(double x) { return 0.5 * x * (1.0 + std::erf(x * std::sqrt(0.5))); }

void panel_f32(const PanelArgs& a) noexcept {
  for (size_t t = 0; t < a.rows; ++t) {
    double sums[kPanel];
    for (size_t n = 0; n < kPanel; ++n) sums[n] = a.resume ? a.v[t * kPanel + n] : 0.0;
    for (size_t k = 0; k < a.cols; ++k) {
      const double x = a.x[t * a.step + k];
      for (size_t n = 0; n < kPanel; ++n) sums[n] += x * a.panel[k * kPanel + n];
    }
    for (size_t n = 0; n < kPanel; ++n) a.v[t * kPanel + n] = static_cast<float>(sums[n]);
  }
}

void panel_fixed16(const FixedPanelArgs& a) noexcept {
  for (size_t t = 0; t < a.rows; ++t) {
    const int16_t* x = a.x + t * a.step;
    for (size_t n = 0; n < kPanel; ++n) {
      double total = 0;
      for (size_t g = 0; g < a.groups; ++g) {
        int32_t sum = 0;
        for (size_t k = 0; k < kFixedGroup; ++k) {
          const size_t at = g * kFixedGroup + k;
          sum += x[at] * a.panel[(at / 2 * kPanel + n) * 2 + at % 2];
        }
        total += static_cast<double>(sum) * a.x_scale[t * a.groups + g] * a.scale[g * kPanel + n];
      }
      a.v[t * kPanel + n] = static_cast<float>(total);
    }
  }
}

void to_fixed16(const float* x, size_t n, int16_t* q, float* scale) noexcept {
  for (size_t first = 0; first < n; first += kFixedGroup) {
    const size_t count = std::min(kFixedGroup, n - first);
    float top = 0;
    for (size_t k = 0; k < count; ++k) top = std::max(top, std::fabs(x[first + k]));
    const float factor = top > 1e-30F ? static_cast<float>(kFixedMax) / top : 0.0F;
    for (size_t k = 0; k < kFixedGroup; ++k) {
      q[first + k] =
          k < count ? static_cast<int16_t>(std::nearbyint(x[first + k] * factor)) : int16_t{0};
    }
    scale[first / kFixedGroup] = top / static_cast<float>(kFixedMax);
  }
}

void to_panel(const float* w, size_t step, size_t rows, size_t cols, float* panel) noexcept {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t k = 0; k < cols; ++k) panel[k * kPanel + r] = w[r * step + k];
  }
}

void to_pairs(const int16_t* q, size_t step, size_t rows, int16_t* panel) noexcept {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t k = 0; k < kFixedGroup; ++k)
      panel[(k / 2 * kPanel + r) * 2 + k % 2] = q[r * step + k];
  }
}

void finish(const FinishArgs& a) noexcept {
  for (size_t t = 0; t < a.rows; ++t) {
    float* y = a.y + t * a.step;
    for (size_t i = 0; i < a.n; ++i) {
      double value =
          static_cast<double>(a.v[t * kPanel + i]) + (a.bias == nullptr ? 0.0 : a.bias[i]);
      if (a.end == RowEnd::kGelu || a.end == RowEnd::kGeluAdd) value = gelu(value);
      if (a.end == RowEnd::kAdd || a.end == RowEnd::kGeluAdd) value += y[i];
      y[i] = static_cast<float>(value);
    }
  }
}

void layer_norm(const float* x, const float* w, const float* b, float eps, bool with_gelu, size_t n,
                float* y) noexcept {
  double mean = 0;
  for (size_t i = 0; i < n; ++i) mean += x[i];
  mean /= static_cast<double>(n);
  double variance = 0;
  for (size_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const double factor = 1.0 / std::sqrt(variance / static_cast<double>(n) + eps);
  for (size_t i = 0; i < n; ++i) {
    const double value = (x[i] - mean) * factor * w[i] + b[i];
    y[i] = static_cast<float>(with_gelu ? gelu(value) : value);
  }
}

float biased_softmax(float* s, size_t n, float scale, float gate, const float* bias) noexcept {
  float top = s[0] * scale + gate * bias[0];
  for (size_t j = 0; j < n; ++j) {
    s[j] = s[j] * scale + gate * bias[j];
    top = std::max(top, s[j]);
  }
  double total = 0;
  for (size_t j = 0; j < n; ++j) {
    s[j] = std::exp(s[j] - top);
    total += s[j];
  }
  return static_cast<float>(total);
}

void scale(const float* x, float factor, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

float dot(const float* a, const float* b, size_t n) noexcept {
  double total = 0;
  for (size_t i = 0; i < n; ++i) total += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(total);
}

}  // namespace

constinit const EncoderTable kEncoderScalar{
    panel_f32, panel_fixed16, to_fixed16,     to_panel, to_pairs,
    finish,    layer_norm,    biased_softmax, scale,    dot};

}  // namespace kani::cpu
