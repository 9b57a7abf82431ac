// losses.h - how far a sound is from the one it should be.
// Source: multi-resolution mel and STFT losses as of Parallel WaveGAN, HiFi-GAN, NanoCodec; guards
// and weights from our own trials on small decoders.  Sounds are [B, N].
#pragma once

#include <vector>

#include "kani/train/codec/spectrum.h"

namespace kani::train {

struct SpectralTerms {
  at::Tensor mel;        // mean distance of log-mels
  at::Tensor magnitude;  // spectral convergence + 0.3 mean distance of log magnitudes
  at::Tensor spread;     // of variances in time; undefined unless asked for
};

struct SpectralRules {
  /// What is added to mels before their logarithm; the distance of log-mels is the mean over them.
  /// What lies below a guard counts for little: of noise in the whole band 0.002 is 53 dB below
  /// full scale, 0.0001 is 79 dB below.
  std::vector<double> mel_guards{2e-3};
  /// Sounds that are near in the mean are too smooth: what a code does not say is left out.  This
  /// term is the mean distance of the logarithms of the variances in time of the log-mels' cosine
  /// transform (1024 samples, 80 bands, the first guard, the first half of it but for the level),
  /// item by item.
  /// Source: the global variance of T. Toda, K. Tokuda, 2007, as a loss.
  bool spread = false;
};

/// Transforms of 256, 512, 1024, 2048 samples every quarter, with 40, 80, 80, 128 bands; the first
/// two terms are means over the four.  Immutable.
class SpectralLoss {
 public:
  explicit SpectralLoss(int rate_hz, at::Device device = at::kCPU, SpectralRules rules = {});
  SpectralTerms operator()(const at::Tensor& made, const at::Tensor& real) const;

 private:
  struct Resolution {
    Spectrum spectrum;
    at::Tensor filters;
  };
  std::vector<Resolution> resolutions_;
  SpectralRules rules_;
  at::Tensor cosines_;  // [rows, 80], for the spread
};

}  // namespace kani::train
