// bandwidth.cc - see bandwidth.h.  A transform of its own: a measure of one number needs no
// library.
#include "kani/dataset/bandwidth.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace kani {
namespace {

constexpr size_t kFrame = 2048;
constexpr double kBelow = 1e-7;  // 70 dB

/// In place, radix 2; the size is a power of two.
void transform(std::vector<std::complex<double>>& x) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t length = 2; length <= n; length *= 2) {
    const double angle = -2 * std::numbers::pi / static_cast<double>(length);
    for (size_t k = 0; k < length / 2; ++k) {
      const std::complex<double> turn = std::polar(1.0, angle * static_cast<double>(k));
      for (size_t i = k; i < n; i += length) {
        const std::complex<double> odd = x[i + length / 2] * turn;
        x[i + length / 2] = x[i] - odd;
        x[i] += odd;
      }
    }
  }
}

}  // namespace

double bandwidth_hz(std::span<const float> mono, int rate_hz) {
  std::vector<double> window(kFrame), powers(kFrame / 2 + 1);
  for (size_t i = 0; i < kFrame; ++i) {
    window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / kFrame);
  }
  // Two frames a transform would do; a hundred of them are enough to see a band.
  const size_t frames = mono.size() / kFrame, stride = std::max<size_t>(1, frames / 100);
  std::vector<std::complex<double>> x(kFrame);
  for (size_t f = 0; f < frames; f += stride) {
    for (size_t i = 0; i < kFrame; ++i) x[i] = double{mono[f * kFrame + i]} * window[i];
    transform(x);
    for (size_t k = 0; k < powers.size(); ++k) powers[k] += std::norm(x[k]);
  }
  // The lowest bins hold the constant part.
  const double strongest = *std::max_element(powers.begin() + 2, powers.end());
  if (strongest <= 0) return 0;
  for (size_t k = powers.size() - 1; k >= 2; --k) {
    if (powers[k] >= strongest * kBelow)
      return static_cast<double>(k) * rate_hz / static_cast<double>(kFrame);
  }
  return 0;
}

}  // namespace kani
