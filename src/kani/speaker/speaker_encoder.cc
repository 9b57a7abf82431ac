// speaker_encoder.cc - see speaker_encoder.h.
#include "kani/speaker/speaker_encoder.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

constexpr uint64_t kMaxConfigFile = 1 << 20;

SpeakerConfig read_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  return parse_speaker_config(read_file(path, kMaxConfigFile), path.string());
}

}  // namespace

SpeakerEncoder::SpeakerEncoder(const std::filesystem::path& folder, Backend& backend,
                               ProductPrecision precision)
    : config_(read_config(folder)), file_(open_safetensors(folder)) {
  speaker_check(config_, *file_);
  network_ = std::make_unique<WavLm>(config_, *file_, backend.encoder(), precision);
}

size_t SpeakerEncoder::min_samples() const {
  size_t count = 2;
  for (size_t i = config_.conv_dims.size(); i-- > 0;) {
    count = (count - 1) * static_cast<size_t>(config_.conv_strides[i]) +
            static_cast<size_t>(config_.conv_kernels[i]);
  }
  return count;
}

std::vector<float> SpeakerEncoder::embed(std::span<const float> samples, const CancelToken* cancel,
                                         const SpeakerObserver& observer) {
  require(samples.size() >= min_samples(), "recording has ", samples.size(),
          " samples at 16 kHz, must have at least ", min_samples());
  std::vector<float> embedding = network_->embed(normalized_signal(samples), cancel, observer);
  for (const float value : embedding) {
    if (!std::isfinite(value)) {
      throw Error(ErrorCode::kBadInput, file_->path(),
                  ": the embedding holds numbers that are not finite")
          .with_hint("the weights hold NaN, infinity or numbers far too large");
    }
  }
  return embedding;
}

SignalLevel signal_level(std::span<const float> samples) {
  const auto count = static_cast<double>(samples.size());
  SignalLevel level;
  for (const float sample : samples) level.mean += sample;
  level.mean /= count;
  double squares = 0;
  for (const float sample : samples) squares += (sample - level.mean) * (sample - level.mean);
  level.deviation = samples.size() < 2 ? 0 : std::sqrt(squares / (count - 1));
  return level;
}

std::vector<float> normalized_signal(std::span<const float> samples) {
  const SignalLevel level = signal_level(samples);
  std::vector<float> normalized;
  normalized.reserve(samples.size());
  for (const float sample : samples)
    normalized.push_back(static_cast<float>((sample - level.mean) / (level.deviation + 1e-10)));
  return normalized;
}

}  // namespace kani
