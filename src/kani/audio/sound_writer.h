// sound_writer.h - float samples to files and streams: WAV, FLAC, MP3, Opus, Vorbis, AAC, raw PCM.
// Source: interfaces.md 2.2, 3.4, 3.5, 8.6.  One encoder lives for the whole sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

enum class SoundFormat { kWav, kFlac, kMp3, kOpus, kOgg, kAac, kRaw };

/// False for kAac in a build without the AAC encoder, else true.
bool sound_format_supported(SoundFormat format);

/// From a file name's ending (.wav .mp3 .opus .ogg .flac .aac .pcm .raw) or a bare name; nothing if
/// unknown.
std::optional<SoundFormat> sound_format_from_name(std::string_view name_or_path);

struct SoundWriterOptions {
  SoundFormat format = SoundFormat::kWav;
  int input_rate_hz = 22050;  // 8,000 to 192,000
  int output_rate_hz = 0;     // 0 = the format's own (Opus 24,000, else the input's)
  bool tags = true;           // say in the file that the speech is synthetic (8.6): WAV and MP3 in
                              // whole files, FLAC and Ogg always; AAC and raw have no place for it
  bool streaming = false;     // WAV header with 0xFFFFFFFF sizes, nothing rewritten at the end
  std::string title{};        // optional tag, UTF-8
};

/// Mono samples in, encoded bytes out.  One thread at a time.  After an exception the sound is
/// lost: further calls throw.
class SoundWriter {
 public:
  virtual ~SoundWriter() = default;
  /// Samples in [-1, 1]; values beyond are clipped, NaN becomes 0.  Throws Error(kCannotWrite).
  virtual void write(std::span<const float> samples) = 0;
  /// Flushes the encoder and, for files, makes the file visible under its name; to be called once.
  /// Without it nothing is left on disk.  Throws Error(kCannotWrite).
  virtual void finish() = 0;
  /// Samples written so far, at the input's rate.
  virtual uint64_t samples() const = 0;
};

/// To a file, atomically: under a temporary name until finish(), following symbolic links.  Written
/// in place, with the headers of a stream, if options.streaming or if the path is no regular file
/// (FIFO, device) or names an open descriptor (/dev/stdout).
/// Throws Error(kCannotWrite), (kInvalidArgument) for rates that the format cannot have,
/// (kUnsupported) for a format that this build cannot write.
std::unique_ptr<SoundWriter> open_sound_file(const std::filesystem::path& path,
                                             const SoundWriterOptions& options);

/// To a function that takes encoded bytes in order and may throw; implies streaming headers.  The
/// function is called within write() and finish() only, as soon as there are bytes.  Throws as
/// above; kOgg is (kUnsupported), Vorbis being too slow to give bytes away.
using ByteSink = std::function<void(std::span<const std::byte>)>;
std::unique_ptr<SoundWriter> open_sound_stream(ByteSink sink, const SoundWriterOptions& options);

/// To the end of `bytes`, which must outlive the writer, as a whole file with exact headers and
/// tags; options.streaming has no effect.  Throws as above.
std::unique_ptr<SoundWriter> open_sound_memory(std::vector<std::byte>& bytes,
                                               const SoundWriterOptions& options);

/// To the loudspeaker through the first of pw-play, paplay, aplay, ffplay on PATH; null if there is
/// none.  finish() waits until all was played and throws Error(kCannotWrite) if the program failed;
/// destroyed before that, it falls silent.
std::unique_ptr<SoundWriter> open_player(int rate_hz);

}  // namespace kani
