// sound_reader.h - sound files to mono float samples, block by block: WAV, FLAC, MP3, Ogg (Vorbis,
// Opus), told apart by content.  For recordings that strangers send: nothing a file claims is
// believed, what counts is what comes out of the decoder (reliability.md 3.2, 6).
// Not here: resampling, trimming, judging whether it is speech.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kani {

enum class SoundKind { kWav, kFlac, kMp3, kVorbis, kOpus };

struct SoundLimits {
  int max_channels = 8;
  int min_rate_hz = 8000;
  int max_rate_hz = 192000;
  double max_seconds = 600;  // of decoded sound
};

/// One thread at a time.  Every failure is Error(kBadInput) with the file's name and the reason,
/// but for a missing file: Error(kNotFound).
class SoundReader {
 public:
  explicit SoundReader(const std::filesystem::path& path, const SoundLimits& limits = {});
  /// From memory, which must outlive the reader; `name` is for messages.
  SoundReader(std::span<const std::byte> bytes, std::string name, const SoundLimits& limits = {});
  SoundReader(SoundReader&&) noexcept;
  SoundReader& operator=(SoundReader&&) noexcept;
  ~SoundReader();

  SoundKind kind() const;
  int rate_hz() const;
  /// In the file; read() gives their mean.
  int channels() const;

  /// Fills `mono` with the next samples (mean over the channels, not clipped) and returns their
  /// number, less than asked only at the end.  Throws for samples that are NaN or infinite, for
  /// sound beyond limits.max_seconds and for data that cannot be decoded.
  size_t read(std::span<float> mono);
  /// The same with the samples themselves, channels() for each of `mono`, channel beside channel.
  size_t read(std::span<float> mono, std::span<float> channels);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct Sound {
  std::vector<float> samples;  // mono; may be empty
  int rate_hz = 0;
  int channels = 0;  // in the file
};

/// All of it.  Throws as SoundReader.
Sound read_sound(const std::filesystem::path& path, const SoundLimits& limits = {});
Sound read_sound(std::span<const std::byte> bytes, const std::string& name,
                 const SoundLimits& limits = {});

}  // namespace kani
