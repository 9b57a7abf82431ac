// The terms of the spectral loss against plain sums in double, written from their formulas.
#include "kani/train/codec/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

namespace kani::train {
namespace {

constexpr int kRate = 22050;

// Magnitudes by the definition of the transform: [frame][bin].
std::vector<std::vector<double>> magnitudes(const std::vector<double>& sound, int fft) {
  const int hop = fft / 4, left = (fft - hop) / 2;
  std::vector<std::complex<double>> turns;
  for (int i = 0; i < fft; ++i) turns.push_back(std::polar(1.0, -2 * std::numbers::pi * i / fft));
  std::vector<std::vector<double>> out;
  for (int frame = 0; frame < static_cast<int>(sound.size()) / hop; ++frame) {
    out.emplace_back();
    for (int bin = 0; bin <= fft / 2; ++bin) {
      std::complex<double> sum = 0;
      for (int i = 0; i < fft; ++i) {
        const int at = frame * hop - left + i;
        if (at < 0 || at >= static_cast<int>(sound.size())) continue;
        const double window = 0.5 - 0.5 * turns[static_cast<size_t>(i)].real();
        sum += window * sound[static_cast<size_t>(at)] * turns[static_cast<size_t>(i * bin % fft)];
      }
      out.back().push_back(std::abs(sum));
    }
  }
  return out;
}

struct Terms {
  double mel = 0, level = 0, shape = 0;
};

Terms terms_at(const std::vector<double>& made, const std::vector<double>& real, int fft,
               int64_t bands) {
  const auto y = magnitudes(made, fft), x = magnitudes(real, fft);
  const at::Tensor filters = mel_filters(kRate, fft, bands, 0, kRate / 2.0);
  const auto weights = filters.accessor<float, 2>();
  Terms sum;
  double distance = 0, whole = 0, count = 0;
  for (size_t frame = 0; frame < x.size(); ++frame) {
    for (size_t bin = 0; bin < x[frame].size(); ++bin) {
      distance += std::abs(y[frame][bin] - x[frame][bin]);
      whole += x[frame][bin];
      sum.shape += std::abs(std::log((y[frame][bin] + 0.03) / (x[frame][bin] + 0.03)));
      ++count;
    }
    for (int64_t band = 0; band < bands; ++band) {
      double a = 0.002, b = 0.002;
      for (size_t bin = 0; bin < x[frame].size(); ++bin) {
        const double weight = weights[band][static_cast<int64_t>(bin)];
        a += weight * y[frame][bin];
        b += weight * x[frame][bin];
      }
      sum.mel += std::abs(std::log(a / b)) / static_cast<double>(bands);
    }
  }
  return {sum.mel / static_cast<double>(x.size()), distance / whole, sum.shape / count};
}

std::vector<double> voice(double hz, double level) {
  std::vector<double> out;
  for (int i = 0; i < 2048; ++i) {
    double value = 0;
    for (int k = 1; k < 9; ++k) value += std::sin(2 * std::numbers::pi * hz * k * i / kRate) / k;
    out.push_back(level * value * (1 + 0.5 * std::sin(0.01 * i)));
  }
  return out;
}

at::Tensor tensor_of(const std::vector<double>& sound) {
  return at::tensor(sound).to(at::kFloat).unsqueeze(0);
}

TEST(SpectralLoss, is_the_mean_over_four_resolutions_of_what_the_formulas_say) {
  const SpectralLoss loss(kRate);
  const std::vector<double> real = voice(140, 0.1);
  for (const auto& made : {voice(140, 0.05), voice(155, 0.1), voice(600, 0.002)}) {
    Terms mean;
    for (const auto& [fft, bands] : {std::pair{256, 40}, {512, 80}, {1024, 80}, {2048, 128}}) {
      const Terms terms = terms_at(made, real, fft, bands);
      mean.mel += terms.mel / 4;
      mean.level += terms.level / 4;
      mean.shape += terms.shape / 4;
    }
    const SpectralTerms got = loss(tensor_of(made), tensor_of(real));
    EXPECT_NEAR(got.mel.item<double>(), mean.mel, 1e-4 * mean.mel);
    const double magnitude = mean.level + 0.3 * mean.shape;
    EXPECT_NEAR(got.magnitude.item<double>(), magnitude, 1e-4 * magnitude);
  }
}

TEST(SpectralLoss, of_a_louder_sound_is_what_it_is_louder_by) {
  // Far above both guards the distance of logarithms is that of the levels, whatever the sound.
  const at::Tensor real = tensor_of(voice(140, 3000)) + at::randn({1, 2048}) * 1000;
  const SpectralTerms got = SpectralLoss(kRate)(real * 2, real);
  EXPECT_NEAR(got.mel.item<double>(), std::log(2), 1e-4);
  EXPECT_NEAR(got.magnitude.item<double>(), 1 + 0.3 * std::log(2), 1e-3);
}

}  // namespace
}  // namespace kani::train
