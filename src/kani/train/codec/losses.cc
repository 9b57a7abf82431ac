// losses.cc - see losses.h.
#include "kani/train/codec/losses.h"

#include <utility>

namespace kani::train {
namespace {

constexpr std::pair<int64_t, int64_t> kResolutions[] = {
    {256, 40}, {512, 80}, {1024, 80}, {2048, 128}};
constexpr double kMelGuard = 2e-3, kMagnitudeGuard = 3e-2;
constexpr double kLogMagnitude = 0.3;

}  // namespace

SpectralLoss::SpectralLoss(int rate_hz, at::Device device) {
  for (const auto& [fft, bands] : kResolutions)
    resolutions_.push_back({Spectrum(fft, fft / 4, device),
                            mel_filters(rate_hz, fft, bands, 0, rate_hz / 2.0).to(device)});
}

SpectralTerms SpectralLoss::operator()(const at::Tensor& made, const at::Tensor& real) const {
  SpectralTerms sum;
  const double share = 1.0 / static_cast<double>(resolutions_.size());
  for (const Resolution& r : resolutions_) {
    const at::Tensor y = r.spectrum.magnitudes(made), x = r.spectrum.magnitudes(real);
    const auto log_mel = [&](const at::Tensor& magnitudes) {
      return (at::matmul(r.filters, magnitudes) + kMelGuard).log();
    };
    const at::Tensor mel = (log_mel(y) - log_mel(x)).abs().mean() * share;
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
