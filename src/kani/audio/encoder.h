// encoder.h - samples to the bytes of one format.  One encoder lives for the whole sound: frames of
// a codec cross the borders of calls.
// Facts that decided the settings: interfaces.md 3.5.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "kani/audio/byte_target.h"
#include "kani/audio/sound_writer.h"

namespace kani {

struct EncoderSettings {
  SoundFormat format = SoundFormat::kWav;
  int rate_hz = 22050;
  bool tags = true;
  std::string title;
};

/// Hands bytes on as soon as they exist.  If the target can be rewritten, headers are completed in
/// finish(); else they are those of a stream.  One thread at a time; the target must outlive it.
class SoundEncoder {
 public:
  virtual ~SoundEncoder() = default;
  /// Mono samples at settings.rate_hz; NaN becomes 0, values beyond [-1, 1] are clipped.
  /// Throws what the target throws, Error(kInternal) if the codec fails.
  virtual void encode(std::span<const float> samples) = 0;
  /// The rest, and sizes and tags; does not finish the target.
  virtual void finish() = 0;
};

/// Rates that `format` takes; empty if any from 8,000 to 192,000 Hz.
std::span<const int> encoder_rates(SoundFormat format);

std::unique_ptr<SoundEncoder> make_encoder(const EncoderSettings& settings, ByteTarget& target);

std::unique_ptr<SoundEncoder> make_raw_encoder(ByteTarget& target);
std::unique_ptr<SoundEncoder> make_wav_encoder(const EncoderSettings& settings, ByteTarget& target);
std::unique_ptr<SoundEncoder> make_sndfile_encoder(const EncoderSettings& settings,
                                                   ByteTarget& target);  // FLAC, Opus, Vorbis
std::unique_ptr<SoundEncoder> make_mp3_encoder(const EncoderSettings& settings, ByteTarget& target);
std::unique_ptr<SoundEncoder> make_aac_encoder(const EncoderSettings& settings, ByteTarget& target);

/// Whether make_aac_encoder can do more than throw Error(kUnsupported).
bool have_aac_encoder() noexcept;

/// The 44 bytes in front of 16-bit mono samples.  Sizes that do not fit 32 bits, or are not known
/// yet (UINT64_MAX), are written as 0xFFFFFFFF, which readers take as "to the end".
Bytes wav_header(int rate_hz, uint64_t data_bytes, uint64_t bytes_behind_data);

}  // namespace kani
