// speaker_module.h - the speaker encoder as a network that can be trained: WavLM's layer-norm
// variant and the two-layer head, tensors under upstream's names.  Source: speaker.md 4 to 8.
// Legend: B clips, N samples, T frames, C channels of the extractor, H hidden size, E embedding.
// Not here: reading and normalizing sound (recordings.h), the loss (speaker_trainer.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "kani/spec/speaker.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Called with intermediates of the forward pass; names as the runtime's observer has them, "conv0"
/// …, "feat_proj", "enc_in", "layer0.out", "final", "pool_mean", "pool_std", "top1", "top2".
using SpeakerLayerObserver = std::function<void(std::string_view name, const at::Tensor& values)>;

/// Frames that so many samples at 16 kHz give; the network needs two.
int64_t speaker_module_frames(const SpeakerConfig& config, int64_t samples);

class SpeakerModule {
 public:
  /// Random weights that follow from `seed`: the same on every machine.
  SpeakerModule(SpeakerConfig config, uint64_t seed);
  /// Weights of a folder with config.json and model.safetensors, upstream's or exported.  Throws
  /// Error(kNotFound, kBadInput, kUnsupported).
  explicit SpeakerModule(const std::filesystem::path& folder);

  const SpeakerConfig& config() const { return config_; }
  /// What is learnt, float32, with gradients; names as in spec/speaker.cc.
  ParameterMap& parameters() { return parameters_; }
  /// Running means and variances of the head's norms.
  const ParameterMap& buffers() const { return buffers_; }

  /// [B, N] normalized samples, all of one length and of at least two frames, to [B, E] unit
  /// vectors.  With `training` the head's norms take the batch's statistics (B of 2 or more) and
  /// move their running ones.
  at::Tensor embed(const at::Tensor& samples, bool training,
                   const SpeakerLayerObserver& observer = {});

  /// config.json and model.safetensors, as the runtime loads them, and upstream's class if the
  /// hidden size is 1,024, which its head has fixed.  Each file is whole or not there.  Throws
  /// Error(kCannotWrite).
  void write(const std::filesystem::path& folder) const;

 private:
  at::Tensor extract(const at::Tensor& samples, const SpeakerLayerObserver& observer) const;
  at::Tensor position(const at::Tensor& x) const;
  at::Tensor position_bias(int64_t frames) const;
  at::Tensor attention(const std::string& layer, const at::Tensor& normed,
                       const at::Tensor& bias) const;
  at::Tensor feed_forward(const std::string& layer, const at::Tensor& normed) const;
  at::Tensor head(int index, const at::Tensor& x, bool training);

  const at::Tensor& p(const std::string& name) const;
  at::Tensor affine(const std::string& name, const at::Tensor& x) const;
  at::Tensor norm(const std::string& name, const at::Tensor& x, double eps) const;

  SpeakerConfig config_;
  ParameterMap parameters_, buffers_;
};

}  // namespace kani::train
