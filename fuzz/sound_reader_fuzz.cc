// sound_reader_fuzz.cc - a stranger's recording: decoded, and brought to our rate.  Anything but
// kani::Error, or a sample that is not finite, is a fault.
// Seeds: 0.1 to 0.2 s of a tone in each format that the writer has, whole and streamed, plus WAV
// with 8, 24 and 32 bits, float, two channels and an extensible header.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kani/audio/ogg_page.h"
#include "kani/audio/resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Ogg pages carry checksums, which hardly any mutation hits: they are put right.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0) return size;  // some stay wrong
  const auto bytes = std::as_writable_bytes(std::span(data, size));
  for (size_t at = 0; at + 4 <= size; ++at) {
    if (std::memcmp(data + at, "OggS", 4) != 0) continue;
    const auto rest = bytes.subspan(at);
    if (const size_t page = kani::ogg_page_size(rest)) {
      kani::ogg_page_seal(rest.first(page), kani::ogg_page_serial(rest));
      at += page - 1;
    }
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const kani::SoundLimits limits{.max_seconds = 5};
  try {
    const kani::Sound sound = kani::read_sound(std::as_bytes(std::span(data, size)), "x", limits);
    if (sound.samples.size() > 5U * 192000U + 4096U) std::abort();
    const std::vector<float> ours =
        kani::resample(sound.samples, sound.rate_hz, 22050, kani::ResamplerQuality::kMedium);
    // Float files may hold values up to 3e38, whose filtered sum may overflow: not a fault.
    for (const float sample : sound.samples) {
      if (!std::isfinite(sample)) std::abort();
    }
    if (ours.empty() && sound.samples.size() > 20) std::abort();
  } catch (const kani::Error& error) {
    if (error.code() != kani::ErrorCode::kBadInput) std::abort();
  }
  return 0;
}
