// sound_writer.h - float samples to files and streams: WAV, FLAC, MP3, Opus, AAC, raw PCM.
// Source: interfaces.md 2.2, 3.4, 3.5, 8.6.  One encoder lives for the whole sound.
#pragma once

#include <filesystem>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kani {

enum class SoundFormat { kWav, kFlac, kMp3, kOpus, kOgg, kAac, kRaw };

/// From a file name's ending (.wav .mp3 .opus .ogg .flac .aac .pcm .raw) or a bare name; nothing if unknown.
std::optional<SoundFormat> sound_format_from_name(std::string_view name_or_path);

struct SoundWriterOptions {
  SoundFormat format = SoundFormat::kWav;
  int input_rate_hz = 22050;
  int output_rate_hz = 0;      // 0 = the format's own (Opus 24,000, else the input's)
  bool tags = true;            // say in the file that the speech is synthetic (8.6)
  bool streaming = false;      // WAV header with 0xFFFFFFFF sizes, nothing rewritten at the end
  std::string title;           // optional tag
};

/// Mono samples in, encoded bytes out.  One thread at a time.
class SoundWriter {
 public:
  virtual ~SoundWriter() = default;
  /// Samples in [-1, 1]; values beyond are clipped, NaN becomes 0.  Throws Error(kCannotWrite).
  virtual void write(std::span<const float> samples) = 0;
  /// Flushes the encoder and, for files, makes the file visible under its name.  Without it nothing is left on disk.
  virtual void finish() = 0;
  /// Samples written so far, at the input's rate.
  virtual uint64_t samples() const = 0;
};

/// To a file, atomically (temporary name until finish(); written in place if options.streaming).
std::unique_ptr<SoundWriter> open_sound_file(const std::filesystem::path& path,
                                             const SoundWriterOptions& options);

/// To a function that takes encoded bytes in order and may throw; implies streaming headers.
using ByteSink = std::function<void(std::span<const std::byte>)>;
std::unique_ptr<SoundWriter> open_sound_stream(ByteSink sink, const SoundWriterOptions& options);

/// To the loudspeaker through the first of pw-play, paplay, aplay, ffplay found; nothing if there is none.
std::unique_ptr<SoundWriter> open_player(int rate_hz);

}  // namespace kani
