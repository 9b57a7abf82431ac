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
               int64_t bands, double guard = 0.002) {
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
      double a = guard, b = guard;
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

TEST(SpectralLoss, of_several_guards_is_the_mean_and_the_lowest_hears_what_is_soft) {
  const std::vector<double> real = voice(600, 1e-5), made = voice(600, 1e-4);
  double mean = 0;
  for (const auto& [fft, bands] : {std::pair{256, 40}, {512, 80}, {1024, 80}, {2048, 128}}) {
    for (const double guard : {0.002, 0.0001})
      mean += terms_at(made, real, fft, bands, guard).mel / 8;
  }
  const auto mel = [&](std::vector<double> guards) {
    return SpectralLoss(kRate, at::kCPU, {.mel_guards = std::move(guards)})(tensor_of(made),
                                                                            tensor_of(real))
        .mel.item<double>();
  };
  EXPECT_NEAR(mel({0.002, 0.0001}), mean, 1e-3 * mean);
  EXPECT_GT(mel({0.0001}), 5 * mel({0.002}));
}

// Variances in time of the cosine transform of log-mels, each from its sum.
std::vector<double> spread_of(const std::vector<double>& sound) {
  const auto x = magnitudes(sound, 1024);
  const at::Tensor filters = mel_filters(kRate, 1024, 80, 0, kRate / 2.0);
  const auto weights = filters.accessor<float, 2>();
  std::vector<double> sums(39), squares(39);
  for (const std::vector<double>& frame : x) {
    for (int n = 0; n < 39; ++n) {
      double value = 0;
      for (int band = 0; band < 80; ++band) {
        double mel = 0.002;
        for (size_t bin = 0; bin < frame.size(); ++bin)
          mel += static_cast<double>(weights[band][static_cast<int64_t>(bin)]) * frame[bin];
        value += std::sqrt(2.0 / 80) * std::cos(std::numbers::pi * (n + 1) * (band + 0.5) / 80) *
                 std::log(mel);
      }
      sums[static_cast<size_t>(n)] += value;
      squares[static_cast<size_t>(n)] += value * value;
    }
  }
  const auto count = static_cast<double>(x.size());
  for (size_t n = 0; n < 39; ++n)
    sums[n] = squares[n] / count - sums[n] / count * (sums[n] / count);
  return sums;
}

TEST(SpectralLoss, the_spread_is_that_of_cepstra_in_time) {
  const SpectralLoss loss(kRate, at::kCPU, {.spread = true});
  const std::vector<double> real = voice(140, 0.1), made = voice(180, 0.03);
  const std::vector<double> y = spread_of(made), x = spread_of(real);
  double mean = 0;
  for (size_t n = 0; n < 39; ++n) mean += std::abs(std::log((y[n] + 0.01) / (x[n] + 0.01))) / 39;
  EXPECT_NEAR(loss(tensor_of(made), tensor_of(real)).spread.item<double>(), mean, 1e-3 * mean);
  EXPECT_EQ(loss(tensor_of(real), tensor_of(real)).spread.item<double>(), 0);
  EXPECT_FALSE(SpectralLoss(kRate)(tensor_of(made), tensor_of(real)).spread.defined());
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
