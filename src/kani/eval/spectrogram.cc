// spectrogram.cc - see spectrogram.h.
#include "kani/eval/spectrogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "kani/audio/resampler.h"
#include "kani/eval/mel_cepstrum.h"

namespace kani {
namespace {

constexpr size_t kFrame = 400, kHop = 160, kFft = 512, kRows = 96, kMostColumns = 1200;
constexpr size_t kBins = kFft / 2, kColours = 64;
constexpr double kRangeDb = 70;

/// From nearly black over violet and orange to pale yellow: brightness grows all the way, so that
/// it reads without colours, too.
std::array<uint8_t, 3 * kColours> colours() {
  constexpr double kStops[5][3] = {
      {8, 8, 24}, {74, 22, 110}, {188, 55, 84}, {249, 142, 30}, {252, 253, 190}};
  std::array<uint8_t, 3 * kColours> out{};
  for (size_t i = 0; i < kColours; ++i) {
    const double place = 4.0 * static_cast<double>(i) / (kColours - 1);
    const size_t stop = std::min<size_t>(static_cast<size_t>(place), 3);
    const double share = place - static_cast<double>(stop);
    for (size_t c = 0; c < 3; ++c) {
      out[3 * i + c] = static_cast<uint8_t>(
          std::lround(kStops[stop][c] + share * (kStops[stop + 1][c] - kStops[stop][c])));
    }
  }
  return out;
}

std::array<double, kRows> column(std::span<const float> samples) {
  std::array<double, kFft> re{}, im{};
  for (size_t i = 0; i < kFrame; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / kFrame;
    re[i] = (0.5 - 0.5 * std::cos(angle)) * static_cast<double>(samples[i]);
  }
  fourier_transform(re, im);
  std::array<double, kRows> rows{};
  for (size_t k = 0; k < kBins; ++k) {
    double& row = rows[k * kRows / kBins];
    row = std::max(row, re[k] * re[k] + im[k] * im[k]);
  }
  for (double& row : rows) row = 10 * std::log10(std::max(row, 1e-12));
  return rows;
}

}  // namespace

std::string spectrogram_png(std::span<const float> mono, int rate_hz) {
  std::vector<float> sound(mono.begin(), mono.end());
  if (rate_hz != kCepstrumRateHz)
    sound = resample(mono, rate_hz, kCepstrumRateHz, ResamplerQuality::kMedium);
  std::vector<std::array<double, kRows>> columns;
  for (size_t at = 0; at + kFrame <= sound.size() && columns.size() < kMostColumns; at += kHop)
    columns.push_back(column(std::span(sound).subspan(at, kFrame)));
  if (columns.empty()) return {};
  double loudest = -100;
  for (const auto& rows : columns)
    loudest = std::max(loudest, *std::max_element(rows.begin(), rows.end()));
  std::vector<uint8_t> pixels(columns.size() * kRows);
  for (size_t x = 0; x < columns.size(); ++x) {
    for (size_t row = 0; row < kRows; ++row) {
      const double share = std::clamp(1 + (columns[x][row] - loudest) / kRangeDb, 0.0, 1.0);
      pixels[(kRows - 1 - row) * columns.size() + x] =
          static_cast<uint8_t>(std::lround(share * (kColours - 1)));
    }
  }
  static const std::array<uint8_t, 3 * kColours> palette = colours();
  return palette_png(pixels, static_cast<uint32_t>(columns.size()), palette);
}

}  // namespace kani
