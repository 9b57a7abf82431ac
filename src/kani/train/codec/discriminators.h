// discriminators.h - networks that tell made sounds from real ones, for the last part of a codec's
// training: one looks at the sound folded by a period (Kong et al. 2020, HiFi-GAN), one at bands of
// its spectrum at several resolutions (Kumar et al. 2023, DAC).  Losses are least squares (Mao et
// al. 2017) and the distance of features.
// Not here: when they take part (codec_trainer.h).  They are never exported.
#pragma once

#include <vector>

#include "kani/train/codec/spectrum.h"
#include "kani/train/lfm2_module.h"
#include "kani/train/optimizer.h"

namespace kani::train {

struct DiscriminatorSizes {
  std::vector<int64_t> periods{2, 3, 5, 7, 11};
  int64_t period_width = 8;  // of the first layer; doubles three times (the original: 32)
  std::vector<int64_t> ffts{2048, 1024, 512};
  int64_t band_width = 8;  // (the original: 32)
  /// Throws Error(kInvalidArgument) naming the key.
  void validate() const;
};

/// What one discriminator says: the features of each layer, the last of which is the judgement.
using Opinion = std::vector<at::Tensor>;

/// Parameters under "critic.".  One thread at a time.
class Discriminators {
 public:
  /// The parameters stay the caller's.
  Discriminators(DiscriminatorSizes sizes, const ParameterMap& parameters, at::Device device);

  /// sound [B, N] -> one opinion for each period and each transform.
  std::vector<Opinion> judge(const at::Tensor& sound) const;

 private:
  Opinion judge_period(const at::Tensor& sound, int64_t period) const;
  Opinion judge_spectrum(const at::Tensor& sound, const Spectrum& spectrum) const;
  at::Tensor conv(const at::Tensor& x, const std::string& name, at::IntArrayRef stride,
                  at::IntArrayRef padding, at::IntArrayRef dilation) const;

  DiscriminatorSizes sizes_;
  std::vector<Spectrum> spectra_;
  const ParameterMap* parameters_;
};

/// Parameters that have learnt nothing.
ParameterMap random_discriminators(const DiscriminatorSizes& sizes, uint64_t seed);

/// Real sounds should be judged 1, made ones 0; the sum over discriminators.
at::Tensor critic_loss(const std::vector<Opinion>& real, const std::vector<Opinion>& made);
/// Update n of the discriminators by that loss.  False, with a warning and nothing changed, if the
/// loss or its gradient is not finite.
bool learn_verdict(const at::Tensor& verdict, int64_t n, AdamW& optimizer);
/// Made sounds should be judged 1; the sum over discriminators.
at::Tensor deception_loss(const std::vector<Opinion>& made);
/// Mean absolute distance of features over the mean of the real ones', mean over layers and
/// discriminators.  The real ones' get no gradient.
at::Tensor feature_loss(const std::vector<Opinion>& real, const std::vector<Opinion>& made);

}  // namespace kani::train
