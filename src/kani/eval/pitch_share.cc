// pitch_share.cc - how much of a sound has a pitch, see sound_faults.h.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kani/eval/sound_faults.h"

namespace kani {
namespace {

constexpr double kWindowSeconds = 0.04, kHopSeconds = 0.01;
constexpr double kLowestHz = 70, kHighestHz = 400;
constexpr double kLoudShare = 0.95, kBelowLoud = 25;  // dB
constexpr double kPeak = 0.5;
constexpr double kWorkRate = 4000;  // enough for a pitch

/// Means of whole blocks of samples: a low pass good enough to look for a pitch.
std::vector<double> thinned(std::span<const float> mono, int factor) {
  std::vector<double> out(mono.size() / static_cast<size_t>(factor));
  for (size_t i = 0; i < out.size(); ++i) {
    for (int k = 0; k < factor; ++k)
      out[i] += static_cast<double>(mono[i * static_cast<size_t>(factor) + static_cast<size_t>(k)]);
    out[i] /= factor;
  }
  return out;
}

/// Mean square about the mean, which is taken away.
double centre(std::span<double> window) {
  const double mean =
      std::accumulate(window.begin(), window.end(), 0.0) / static_cast<double>(window.size());
  double sum = 0;
  for (double& x : window) {
    x -= mean;
    sum += x * x;
  }
  return sum / static_cast<double>(window.size());
}

bool has_pitch(std::span<const double> window, double rate_hz) {
  const auto shortest = static_cast<size_t>(rate_hz / kHighestHz);
  const size_t longest =
      std::min(static_cast<size_t>(rate_hz / kLowestHz), window.size() - window.size() / 4);
  for (size_t lag = shortest; lag <= longest; ++lag) {
    double product = 0, first = 0, second = 0;
    for (size_t i = 0; i + lag < window.size(); ++i) {
      product += window[i] * window[i + lag];
      first += window[i] * window[i];
      second += window[i + lag] * window[i + lag];
    }
    if (product > kPeak * std::sqrt(first * second)) return true;
  }
  return false;
}

}  // namespace

double voiced_share(std::span<const float> mono, int rate_hz) {
  const int factor = std::max(1, static_cast<int>(rate_hz / kWorkRate));
  const std::vector<double> sound = thinned(mono, factor);
  const double rate = static_cast<double>(rate_hz) / factor;
  const auto length = static_cast<size_t>(kWindowSeconds * rate);
  const auto hop = static_cast<size_t>(kHopSeconds * rate);
  if (length < 2 || hop == 0 || sound.size() < length) return 0;
  std::vector<std::vector<double>> windows;
  std::vector<double> powers;
  for (size_t begin = 0; begin + length <= sound.size(); begin += hop) {
    const auto from = sound.begin() + static_cast<std::ptrdiff_t>(begin);
    windows.emplace_back(from, from + static_cast<std::ptrdiff_t>(length));
    powers.push_back(centre(windows.back()));
  }
  std::vector<double> sorted = powers;
  const auto loud = sorted.begin() + static_cast<std::ptrdiff_t>(
                                         kLoudShare * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), loud, sorted.end());
  const double least = *loud * std::pow(10, -kBelowLoud / 10);
  size_t spoken = 0, voiced = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    if (powers[i] < least || powers[i] == 0) continue;
    ++spoken;
    voiced += has_pitch(windows[i], rate) ? 1 : 0;
  }
  return spoken == 0 ? 0 : static_cast<double>(voiced) / static_cast<double>(spoken);
}

}  // namespace kani
