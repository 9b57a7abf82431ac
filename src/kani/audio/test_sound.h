// test_sound.h - sounds and folders for the tests of this folder.
#pragma once

#include <stdlib.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "kani/audio/pcm.h"
#include "kani/audio/sound_writer.h"
#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {

/// A sine of amplitude 0.5 that begins at 0.
inline std::vector<float> tone(size_t samples, double hz, int rate_hz) {
  std::vector<float> sound(samples);
  for (size_t i = 0; i < samples; ++i) {
    sound[i] = static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz));
  }
  return sound;
}

/// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "kani-audio-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline Bytes to_bytes(std::string_view text) {
  Bytes bytes;
  append_text(bytes, text);
  return bytes;
}

inline std::string to_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes file_bytes(const std::filesystem::path& path) {
  return to_bytes(read_file(path, uint64_t{1} << 30));
}

/// Little-endian number of `count` bytes.
inline uint64_t le_at(std::span<const std::byte> bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

/// A whole file in memory.
inline Bytes encoded(std::span<const float> samples, const SoundWriterOptions& options) {
  Bytes bytes;
  const auto writer = open_sound_memory(bytes, options);
  writer->write(samples);
  writer->finish();
  return bytes;
}

/// What a stream gives away, pushed in pieces of `piece` samples.
inline Bytes streamed(std::span<const float> samples, const SoundWriterOptions& options,
                      size_t piece = 1760) {
  Bytes bytes;
  const auto writer = open_sound_stream(
      [&bytes](std::span<const std::byte> more) {
        bytes.insert(bytes.end(), more.begin(), more.end());
      },
      options);
  for (size_t i = 0; i < samples.size(); i += piece) {
    writer->write(samples.subspan(i, std::min(piece, samples.size() - i)));
  }
  writer->finish();
  return bytes;
}

/// The message of the Error that `call` throws, with its code's name in front; empty if none.
template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return concat(error_name(error.code()), ": ", error.what());
  }
  return {};
}

}  // namespace kani
