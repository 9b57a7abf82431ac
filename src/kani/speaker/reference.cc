// reference.cc - see reference.h.
#include "kani/speaker/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kani/audio/sinc_resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/speaker/speaker_encoder.h"

namespace kani {
namespace {

constexpr double kSilence = 1e-5;    // deviation below which there is nothing to hear
constexpr double kVeryQuiet = 1e-3;  // and below which it is hardly more than noise
constexpr double kAdvisedSeconds = 3;

std::string tenths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

size_t max_samples(const ReferenceLimits& limits) {
  return static_cast<size_t>(limits.max_seconds * kSpeakerRateHz);
}

// One more than is kept, so that a cut is noticed.
size_t samples_to_read(int rate_hz, const ReferenceLimits& limits) {
  return SincResampler(rate_hz, kSpeakerRateHz).input_needed(max_samples(limits) + 1);
}

}  // namespace

Reference make_reference(std::vector<float> mono, int rate_hz, const std::string& name,
                         const ReferenceLimits& limits) {
  if (rate_hz < 8000 || rate_hz > 192000) {
    throw Error(ErrorCode::kBadInput, name, ": sample rate is ", rate_hz,
                " Hz, must be 8000 to 192000");
  }
  for (size_t i = 0; i < mono.size(); ++i) {
    if (!std::isfinite(mono[i]))
      throw Error(ErrorCode::kBadInput, name, ": sample ", i, " is not finite");
  }
  Reference reference;
  reference.rate_hz = rate_hz;
  reference.samples = SincResampler(rate_hz, kSpeakerRateHz).resample(mono);
  reference.original = std::move(mono);
  reference.cut = reference.samples.size() > max_samples(limits);
  if (reference.cut) reference.samples.resize(max_samples(limits));
  if (reference.samples.size() < limits.min_samples) {
    throw Error(ErrorCode::kBadInput, name, ": too short: ", reference.samples.size(),
                " samples at 16 kHz, expected at least ", limits.min_samples)
        .with_hint("a voice needs 3 to 30 seconds of speech");
  }
  const SignalLevel level = signal_level(reference.samples);
  reference.mean = level.mean;
  reference.deviation = level.deviation;
  if (level.deviation < kSilence) throw Error(ErrorCode::kBadInput, name, ": silent");

  const auto warn = [&](const auto&... text) { reference.warnings.push_back(concat(text...)); };
  if (reference.seconds() < kAdvisedSeconds)
    warn("only ", tenths(reference.seconds()), " s long; 3 to 30 s are advised, best 10 to 20 s");
  if (reference.cut) {
    warn("longer than ", tenths(limits.max_seconds), " s; only the first ",
         tenths(limits.max_seconds), " s are used");
  }
  if (level.deviation < kVeryQuiet) warn("very quiet");
  return reference;
}

Reference read_reference(const std::filesystem::path& path, const ReferenceLimits& limits) {
  SoundReader reader(path);
  const size_t wanted = samples_to_read(reader.rate_hz(), limits);
  std::vector<float> mono;
  constexpr size_t kBlock = 1 << 16;
  while (mono.size() < wanted) {
    const size_t had = mono.size(), more = std::min(kBlock, wanted - had);
    mono.resize(had + more);
    const size_t got = reader.read({mono.data() + had, more});
    mono.resize(had + got);
    if (got < more) break;
  }
  const int rate_hz = reader.rate_hz(), channels = reader.channels();
  Reference reference = make_reference(std::move(mono), rate_hz, path.string(), limits);
  reference.channels = channels;
  return reference;
}

}  // namespace kani
