// signal_scalar.cc - the codec's kernels in plain loops: what "right" means, and the fallback on
// CPUs that have nothing better.  Sums run in double.
#include <cmath>

#include "kani/backend/cpu/kernels/signal_kernels.h"

namespace kani::cpu {
namespace {

constexpr size_t kRows = 4;
constexpr size_t kCols = 64;

void conv(const ConvTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    double v[kCols];
    for (size_t t = 0; t < a.cols; ++t) v[t] = a.bias[row];
    for (size_t i = 0; i < a.inputs; ++i) {
      for (size_t j = 0; j < a.taps; ++j) {
        const double w = a.weight[(i * a.taps + j) * a.rows + row];
        const float* x = a.x + i * a.x_stride + j * a.dilation;
        for (size_t t = 0; t < a.cols; ++t) v[t] += w * x[t];
      }
    }
    for (size_t t = 0; t < a.cols; ++t) {
      if (a.add != nullptr) v[t] += a.add[row * a.add_stride + t];
      if (a.sum != nullptr) v[t] += a.sum[row * a.sum_stride + t];
      a.y[row * a.y_stride + t] = static_cast<float>(v[t] / a.divisor);
    }
  }
}

void half_snake(const SnakeTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.x_stride;
    float* y = a.y + row * a.y_stride;
    if (row < a.snakes) {
      const double alpha = a.alpha[row];
      const double inverse = a.inverse[row];
      for (size_t t = 0; t < a.cols; ++t) {
        const double s = std::sin(alpha * x[t]);
        y[t] = static_cast<float>(x[t] + inverse * (s * s));
      }
    } else {
      for (size_t t = 0; t < a.cols; ++t) y[t] = x[t] > 0 ? x[t] : 0.01F * x[t];
    }
  }
}

void upsample(const UpsampleRow& a) noexcept {
  const float* w0 = a.weight;
  const float* w1 = a.weight + 2 * a.rate;
  for (size_t t = 0; t < a.cols; ++t) {
    for (size_t p = 0; p < a.rate; ++p) {
      double v = a.bias;
      v += static_cast<double>(w0[p]) * a.a[t + 1];
      v += static_cast<double>(w0[p + a.rate]) * a.a[t];
      v += static_cast<double>(w1[p]) * a.b[t + 1];
      v += static_cast<double>(w1[p + a.rate]) * a.b[t];
      a.y[t * a.rate + p] = static_cast<float>(v);
    }
  }
}

}  // namespace

constinit const SignalTable kSignalScalar{{conv, kRows, kCols}, half_snake, upsample};

}  // namespace kani::cpu
