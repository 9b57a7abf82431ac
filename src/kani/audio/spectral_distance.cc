// spectral_distance.cc - a plain discrete Fourier transform: seconds of sound are compared, and
// only by those who measure.
#include "kani/audio/spectral_distance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace kani {
namespace {

constexpr size_t kFrame = 512, kHop = 256, kBins = kFrame / 2 + 1;
constexpr double kFloor = 1e-8;  // -80 dB of a full-scale sine

class Spectrum {
 public:
  Spectrum() {
    for (size_t i = 0; i < kFrame; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / kFrame;
      window_[i] = 0.5 - 0.5 * std::cos(angle);
      cos_[i] = std::cos(angle);
      sin_[i] = std::sin(angle);
    }
  }

  // log power of each bin; a full-scale sine in the middle of a bin has 0 dB.
  void log_power(std::span<const float> frame, std::span<double, kBins> out) const {
    std::array<double, kFrame> x;
    for (size_t i = 0; i < kFrame; ++i) x[i] = window_[i] * static_cast<double>(frame[i]);
    constexpr double kScale = 4.0 / kFrame;  // the window halves, and half is at negative frequency
    for (size_t k = 0; k < kBins; ++k) {
      double re = 0, im = 0;
      for (size_t i = 0, at = 0; i < kFrame; ++i, at = (at + k) % kFrame) {
        re += x[i] * cos_[at];
        im += x[i] * sin_[at];
      }
      out[k] = 10 * std::log10(std::max((re * re + im * im) * kScale * kScale, kFloor));
    }
  }

 private:
  std::array<double, kFrame> window_, cos_, sin_;
};

}  // namespace

double spectral_distance_db(std::span<const float> a, std::span<const float> b) {
  const size_t length = std::min(a.size(), b.size());
  if (length < kFrame) return 0;
  const Spectrum spectrum;
  std::array<double, kBins> first, second;
  double sum = 0;
  size_t frames = 0;
  for (size_t at = 0; at + kFrame <= length; at += kHop, ++frames) {
    spectrum.log_power(a.subspan(at, kFrame), first);
    spectrum.log_power(b.subspan(at, kFrame), second);
    double square = 0;
    for (size_t k = 0; k < kBins; ++k) square += (first[k] - second[k]) * (first[k] - second[k]);
    sum += std::sqrt(square / kBins);
  }
  return sum / static_cast<double>(frames);
}

double signal_to_noise_db(std::span<const float> exact, std::span<const float> tested) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < std::min(exact.size(), tested.size()); ++i) {
    const double x = static_cast<double>(exact[i]), d = x - static_cast<double>(tested[i]);
    signal += x * x;
    noise += d * d;
  }
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace kani
