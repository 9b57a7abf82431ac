// reference.h - a recording as the speaker encoder takes it: mono, 16 kHz, cut to 30 s, refused or
// warned of where a voice cannot be heard in it.  Source: speaker.md 2.
// Not here: levels are not touched, silence is not trimmed; upstream does neither.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace kani {

struct ReferenceLimits {
  double max_seconds = 30;   // what is longer is cut after resampling
  size_t min_samples = 720;  // at 16 kHz; SpeakerEncoder::min_samples()
};

struct Reference {
  std::vector<float> samples;   // mono, 16 kHz
  std::vector<float> original;  // mono, as recorded, as far as it was read
  int rate_hz = 0;              // of the recording
  int channels = 1;
  bool cut = false;  // there was more than max_seconds
  double mean = 0;   // of `samples`
  double deviation = 0;
  std::vector<std::string> warnings;

  double seconds() const { return static_cast<double>(samples.size()) / 16000; }
};

/// Mono samples at `rate_hz`.  `name` is for messages.  Throws Error(kBadInput) for a rate outside
/// 8 to 192 kHz, NaN or infinity, too little sound and silence.
Reference make_reference(std::vector<float> mono, int rate_hz, const std::string& name,
                         const ReferenceLimits& limits = {});

/// The same from a sound file, of which no more is decoded than counts.  Throws Error(kNotFound),
/// Error(kBadInput) also for what is no sound file.
Reference read_reference(const std::filesystem::path& path, const ReferenceLimits& limits = {});

}  // namespace kani
