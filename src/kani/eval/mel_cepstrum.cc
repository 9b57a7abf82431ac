// mel_cepstrum.cc - see mel_cepstrum.h.
#include "kani/eval/mel_cepstrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kani/audio/level.h"
#include "kani/audio/resampler.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kFrame = 400, kHop = 160, kFft = 512, kBins = kFft / 2 + 1, kBands = 26;
constexpr double kLowHz = 60, kHighHz = 7600;
constexpr double kFloor = 1e-8;  // power; -80 dB of a full-scale sine
constexpr double kBelowLoudDb = 35, kLowestDb = -60;

double mel(double hz) { return 1127 * std::log1p(hz / 700); }

/// The tables that every frame needs.
class Cepstrum {
 public:
  Cepstrum() : weights_(kBands * kBins) {
    for (size_t i = 0; i < kFrame; ++i)
      window_[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / kFrame);
    const double low = mel(kLowHz), step = (mel(kHighHz) - low) / (kBands + 1);
    for (size_t b = 0; b < kBands; ++b) {
      const double middle = low + step * static_cast<double>(b + 1);
      for (size_t k = 1; k < kBins; ++k) {
        const double at = mel(static_cast<double>(k) * kCepstrumRateHz / kFft);
        weights_[b * kBins + k] = std::max(0.0, 1 - std::abs(at - middle) / step);
      }
    }
    for (size_t n = 0; n < kCepstra; ++n) {
      for (size_t b = 0; b < kBands; ++b) {
        const double angle = std::numbers::pi * static_cast<double>(n + 1) *
                             (static_cast<double>(b) + 0.5) / static_cast<double>(kBands);
        cosines_[n * kBands + b] = std::sqrt(2.0 / kBands) * std::cos(angle);
      }
    }
  }

  CepstrumFrame frame(std::span<const float> samples) const {
    std::array<double, kFft> re{}, im{};
    for (size_t i = 0; i < kFrame; ++i) re[i] = window_[i] * static_cast<double>(samples[i]);
    fourier_transform(re, im);
    std::array<double, kBands> logs;
    constexpr double kScale = 4.0 / kFrame;
    for (size_t b = 0; b < kBands; ++b) {
      double power = 0;
      for (size_t k = 1; k < kBins; ++k)
        power += weights_[b * kBins + k] * (re[k] * re[k] + im[k] * im[k]) * kScale * kScale;
      logs[b] = std::log(std::max(power, kFloor));
    }
    CepstrumFrame out;
    for (size_t n = 0; n < kCepstra; ++n) {
      double sum = 0;
      for (size_t b = 0; b < kBands; ++b) sum += cosines_[n * kBands + b] * logs[b];
      out.c[n] = static_cast<float>(sum);
    }
    const double level = static_cast<double>(rms(samples));
    out.level_db = static_cast<float>(level <= 1e-5 ? -100 : 20 * std::log10(level));
    return out;
  }

 private:
  std::array<double, kFrame> window_;
  std::vector<double> weights_;  // [kBands, kBins]
  std::array<double, kCepstra * kBands> cosines_;
};

}  // namespace

void fourier_transform(std::span<double> re, std::span<double> im) {
  const size_t n = re.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) {
      std::swap(re[i], re[j]);
      std::swap(im[i], im[j]);
    }
  }
  for (size_t length = 2; length <= n; length *= 2) {
    const size_t half = length / 2;
    for (size_t k = 0; k < half; ++k) {
      const double angle =
          -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length);
      const double cos = std::cos(angle), sin = std::sin(angle);
      for (size_t start = k; start < n; start += length) {
        const size_t other = start + half;
        const double r = re[other] * cos - im[other] * sin, i = re[other] * sin + im[other] * cos;
        re[other] = re[start] - r;
        im[other] = im[start] - i;
        re[start] += r;
        im[start] += i;
      }
    }
  }
}

std::vector<CepstrumFrame> mel_cepstrum(std::span<const float> mono, int rate_hz) {
  require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
          " Hz, must be 8000 to 192000");
  static const Cepstrum tables;
  std::vector<float> resampled;
  if (rate_hz != kCepstrumRateHz) {
    resampled = resample(mono, rate_hz, kCepstrumRateHz, ResamplerQuality::kMedium);
    mono = resampled;
  }
  std::vector<CepstrumFrame> frames;
  for (size_t at = 0; at + kFrame <= mono.size(); at += kHop)
    frames.push_back(tables.frame(mono.subspan(at, kFrame)));
  return frames;
}

double loud_db(std::span<const CepstrumFrame> frames) {
  std::vector<float> levels;
  for (const CepstrumFrame& frame : frames) levels.push_back(frame.level_db);
  const size_t rank = (levels.size() - 1) * 95 / 100;
  std::nth_element(levels.begin(), levels.begin() + static_cast<std::ptrdiff_t>(rank),
                   levels.end());
  return static_cast<double>(levels[rank]);
}

double speech_threshold_db(std::span<const CepstrumFrame> frames) {
  if (frames.empty()) return kLowestDb;
  return std::max(loud_db(frames) - kBelowLoudDb, kLowestDb);
}

}  // namespace kani
