// losses.h - how far a sound is from the one it should be.
// Source: multi-resolution mel and STFT losses as of Parallel WaveGAN, HiFi-GAN, NanoCodec; guards
// and weights from our own trials on small decoders.  Sounds are [B, N].
#pragma once

#include "kani/train/codec/spectrum.h"

namespace kani::train {

struct SpectralTerms {
  at::Tensor mel;        // mean distance of log-mels
  at::Tensor magnitude;  // spectral convergence + 0.3 mean distance of log magnitudes
};

/// Transforms of 256, 512, 1024, 2048 samples every quarter, with 40, 80, 80, 128 bands; each term
/// is the mean over the four.  Immutable.
class SpectralLoss {
 public:
  explicit SpectralLoss(int rate_hz, at::Device device = at::kCPU);
  SpectralTerms operator()(const at::Tensor& made, const at::Tensor& real) const;

 private:
  struct Resolution {
    Spectrum spectrum;
    at::Tensor filters;
  };
  std::vector<Resolution> resolutions_;
};

}  // namespace kani::train
