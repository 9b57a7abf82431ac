// spectrum.h - magnitudes of short Fourier transforms and log-mel spectrograms with gradients.
// Source: training losses of HiFi-GAN and NanoCodec; Slaney's mel scale and area normalization as
// librosa has them.  Sound is [B, N].
#pragma once

#include "kani/train/torch.h"

namespace kani::train {

/// Triangles over the bins of a transform, [bands, fft / 2 + 1], each of area 1 in Hz.  Throws
/// Error(kInvalidArgument) unless 0 <= low < high <= rate / 2.
at::Tensor mel_filters(int rate_hz, int64_t fft, int64_t bands, double low_hz, double high_hz);

/// Hann windows of `fft` samples every `hop`; the sound continues with zeros on both sides, so that
/// frame i of floor(N / hop) is centred on the i-th hop's middle.  Immutable.
class Spectrum {
 public:
  Spectrum(int64_t fft, int64_t hop, at::Device device = at::kCPU);
  int64_t fft() const { return fft_; }
  int64_t hop() const { return hop_; }
  /// Real and imaginary parts, [B, fft / 2 + 1, frames, 2].
  at::Tensor parts(const at::Tensor& sound) const;
  /// [B, fft / 2 + 1, frames]; the gradient at 0 is 0.
  at::Tensor magnitudes(const at::Tensor& sound) const;

 private:
  int64_t fft_, hop_;
  at::Tensor window_;
};

/// log(max(mel magnitude, floor)): what the analysis network hears.
class LogMel {
 public:
  LogMel(int rate_hz, int64_t fft, int64_t hop, int64_t bands, double high_hz, double floor,
         at::Device device = at::kCPU);
  /// [B, bands, N / hop]
  at::Tensor operator()(const at::Tensor& sound) const;
  const Spectrum& spectrum() const { return spectrum_; }

 private:
  Spectrum spectrum_;
  at::Tensor filters_;
  double floor_;
};

}  // namespace kani::train
