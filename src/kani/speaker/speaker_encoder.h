// speaker_encoder.h - a recording of a voice to the vector that the language model reads as that
// voice.  Source: speaker.md.
// Not here: reading and judging recordings (reference.h), averaging and files of voices (engine/).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "kani/backend/backend.h"
#include "kani/speaker/wavlm.h"

namespace kani {

inline constexpr int kSpeakerRateHz = 16000;

/// One thread at a time, which is also the thread that uses the backend.
class SpeakerEncoder {
 public:
  /// `folder` holds config.json and model.safetensors (or an index with shards).  `backend` must
  /// outlive the encoder.  Throws Error(kNotFound, kBadInput, kUnsupported, kOutOfMemory).
  SpeakerEncoder(const std::filesystem::path& folder, Backend& backend,
                 ProductPrecision precision = ProductPrecision::kF32);

  const SpeakerConfig& config() const { return config_; }
  size_t embedding_size() const { return static_cast<size_t>(config_.embedding_size); }
  /// Of the weights: model.safetensors or its index.
  const std::filesystem::path& path() const { return file_->path(); }
  /// Samples at 16 kHz that give two frames, the fewest that have a deviation: 720.
  size_t min_samples() const;

  /// Mono samples at 16 kHz, any level, at least min_samples(): one unit vector of embedding_size()
  /// numbers.  Throws Error(kInvalidArgument) for fewer samples, Error(kBadInput) if the weights
  /// give no finite numbers, Error(kCancelled, kOutOfMemory).
  std::vector<float> embed(std::span<const float> samples, const CancelToken* cancel = nullptr,
                           const SpeakerObserver& observer = {});

 private:
  SpeakerConfig config_;
  std::unique_ptr<TensorFile> file_;
  std::unique_ptr<WavLm> network_;
};

/// Samples with zero mean and unit deviation, (x - mean) / (deviation + 1e-10) with the divisor
/// n - 1; sums in double.
struct SignalLevel {
  double mean = 0;
  double deviation = 0;
};
SignalLevel signal_level(std::span<const float> samples);
std::vector<float> normalized_signal(std::span<const float> samples);

}  // namespace kani
