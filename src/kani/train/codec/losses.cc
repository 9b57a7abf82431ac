// losses.cc - see losses.h.
#include "kani/train/codec/losses.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace kani::train {
namespace {

constexpr std::pair<int64_t, int64_t> kResolutions[] = {
    {256, 40}, {512, 80}, {1024, 80}, {2048, 128}};
constexpr double kMagnitudeGuard = 3e-2;
constexpr double kLogMagnitude = 0.3;
constexpr int64_t kSpreadFft = 1024, kSpreadBands = 80, kSpreadRows = 39;
constexpr double kSpreadGuard = 1e-2;  // of a variance

// Orthonormal, without the row of the level.
at::Tensor cosines() {
  at::Tensor out = at::empty({kSpreadRows, kSpreadBands}, at::kFloat);
  auto values = out.accessor<float, 2>();
  for (int64_t n = 0; n < kSpreadRows; ++n) {
    for (int64_t b = 0; b < kSpreadBands; ++b)
      values[n][b] = static_cast<float>(std::sqrt(2.0 / kSpreadBands) *
                                        std::cos(std::numbers::pi * static_cast<double>(n + 1) *
                                                 (static_cast<double>(b) + 0.5) / kSpreadBands));
  }
  return out;
}

}  // namespace

SpectralLoss::SpectralLoss(int rate_hz, at::Device device, SpectralRules rules)
    : rules_(std::move(rules)), cosines_(cosines().to(device)) {
  for (const auto& [fft, bands] : kResolutions)
    resolutions_.push_back({Spectrum(fft, fft / 4, device),
                            mel_filters(rate_hz, fft, bands, 0, rate_hz / 2.0).to(device)});
}

SpectralTerms SpectralLoss::operator()(const at::Tensor& made, const at::Tensor& real) const {
  SpectralTerms sum;
  const double share = 1.0 / static_cast<double>(resolutions_.size());
  for (const Resolution& r : resolutions_) {
    const at::Tensor y = r.spectrum.magnitudes(made), x = r.spectrum.magnitudes(real);
    const at::Tensor mel_y = at::matmul(r.filters, y), mel_x = at::matmul(r.filters, x);
    at::Tensor mel;
    for (const double guard : rules_.mel_guards) {
      const at::Tensor apart = ((mel_y + guard).log() - (mel_x + guard).log()).abs().mean() *
                               (share / static_cast<double>(rules_.mel_guards.size()));
      mel = mel.defined() ? mel + apart : apart;
    }
    if (rules_.spread && x.size(1) == kSpreadFft / 2 + 1) {
      const auto spread = [&](const at::Tensor& mels) {
        const at::Tensor logs = (mels + rules_.mel_guards.front()).log();
        return at::matmul(cosines_, logs).var(2, /*unbiased=*/false) + kSpreadGuard;
      };
      sum.spread = (spread(mel_y).log() - spread(mel_x).log()).abs().mean();
    }
    const at::Tensor level = (y - x).abs().sum() / x.sum().clamp_min(1e-3),
                     shape =
                         ((y + kMagnitudeGuard).log() - (x + kMagnitudeGuard).log()).abs().mean();
    const at::Tensor magnitude = (level + shape * kLogMagnitude) * share;
    sum.mel = sum.mel.defined() ? sum.mel + mel : mel;
    sum.magnitude = sum.magnitude.defined() ? sum.magnitude + magnitude : magnitude;
  }
  return sum;
}

}  // namespace kani::train
