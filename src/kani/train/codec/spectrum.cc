// spectrum.cc - see spectrum.h.
#include "kani/train/codec/spectrum.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"

namespace kani::train {
namespace {

// Slaney's scale: 200/3 Hz a step up to 1000 Hz, then 27 steps for a factor of 6.4.
constexpr double kLinearStep = 200.0 / 3, kCornerHz = 1000, kCorner = kCornerHz / kLinearStep;
const double kLogStep = std::log(6.4) / 27;
constexpr double kTiny = 1e-12;  // of a squared magnitude

double mel_of(double hz) {
  return hz < kCornerHz ? hz / kLinearStep : kCorner + std::log(hz / kCornerHz) / kLogStep;
}
double hz_of(double mel) {
  return mel < kCorner ? mel * kLinearStep : kCornerHz * std::exp((mel - kCorner) * kLogStep);
}

}  // namespace

at::Tensor mel_filters(int rate_hz, int64_t fft, int64_t bands, double low_hz, double high_hz) {
  require(low_hz >= 0 && low_hz < high_hz && high_hz <= rate_hz / 2.0, "mel bands from ", low_hz,
          " to ", high_hz, " Hz at ", rate_hz, " Hz");
  std::vector<double> edges;
  const double first = mel_of(low_hz), last = mel_of(high_hz);
  for (int64_t i = 0; i < bands + 2; ++i)
    edges.push_back(
        hz_of(first + (last - first) * static_cast<double>(i) / static_cast<double>(bands + 1)));
  at::Tensor out = at::zeros({bands, fft / 2 + 1}, at::kFloat);
  auto values = out.accessor<float, 2>();
  for (int64_t band = 0; band < bands; ++band) {
    const auto at = static_cast<size_t>(band);
    const double left = edges[at], centre = edges[at + 1], right = edges[at + 2];
    for (int64_t bin = 0; bin <= fft / 2; ++bin) {
      const double hz = static_cast<double>(bin) * rate_hz / static_cast<double>(fft);
      const double height =
          std::min((hz - left) / (centre - left), (right - hz) / (right - centre));
      values[band][bin] = static_cast<float>(std::max(0.0, height) * 2 / (right - left));
    }
  }
  return out;
}

Spectrum::Spectrum(int64_t fft, int64_t hop, at::Device device)
    : fft_(fft), hop_(hop), window_(at::hann_window(fft, at::kFloat).to(device)) {
  require(fft >= 2 && fft % 2 == 0 && hop >= 1 && hop <= fft, "a transform of ", fft,
          " samples every ", hop, ", expected an even number and a step up to it");
}

at::Tensor Spectrum::parts(const at::Tensor& sound) const {
  const int64_t left = (fft_ - hop_) / 2;
  const at::Tensor padded = at::constant_pad_nd(sound, {left, fft_ - hop_ - left});
  return at::view_as_real(at::stft(padded, fft_, hop_, fft_, window_, /*normalized=*/false,
                                   /*onesided=*/true, /*return_complex=*/true));
}

at::Tensor Spectrum::magnitudes(const at::Tensor& sound) const {
  return parts(sound).square().sum(-1).clamp_min(kTiny).sqrt();
}

LogMel::LogMel(int rate_hz, int64_t fft, int64_t hop, int64_t bands, double high_hz, double floor,
               at::Device device)
    : spectrum_(fft, hop, device),
      filters_(mel_filters(rate_hz, fft, bands, 0, high_hz).to(device)),
      floor_(floor) {}

at::Tensor LogMel::operator()(const at::Tensor& sound) const {
  return at::matmul(filters_, spectrum_.magnitudes(sound)).clamp_min(floor_).log();
}

}  // namespace kani::train
