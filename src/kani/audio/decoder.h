// decoder.h - bytes of one format to samples: the counterpart of encoder.h.
#pragma once

#include <memory>
#include <span>

#include "kani/audio/byte_source.h"
#include "kani/audio/sound_reader.h"

namespace kani {

/// Errors are Error(kBadInput) without the file's name, which the reader puts in front.
class SoundDecoder {
 public:
  virtual ~SoundDecoder() = default;
  virtual int rate_hz() const = 0;
  virtual int channels() const = 0;
  /// Fills `interleaved` (a multiple of channels) and returns the number of whole frames, less than
  /// asked only at the end.  Throws if the data cannot be decoded.
  virtual size_t read(std::span<float> interleaved) = 0;
};

/// WAV, FLAC, Opus.  The source must outlive each of these.
std::unique_ptr<SoundDecoder> make_sndfile_decoder(SoundKind kind, ByteSource& source);
std::unique_ptr<SoundDecoder> make_mp3_decoder(ByteSource& source);
std::unique_ptr<SoundDecoder> make_vorbis_decoder(ByteSource& source);

}  // namespace kani
