// test_records.h - a folder that goes away with the test, and speech-like sound.  For the tests of
// this folder.
#pragma once

#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "kani/audio/sound_writer.h"
#include "kani/base/file.h"
#include "kani/base/random.h"

namespace kani {

class RecordFolder {
 public:
  RecordFolder() {
    std::string name = std::filesystem::temp_directory_path() / "kani-dataset-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  RecordFolder(const RecordFolder&) = delete;
  RecordFolder& operator=(const RecordFolder&) = delete;
  ~RecordFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  void write(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    write_file(path_ / name, content);
  }

 private:
  std::filesystem::path path_;
};

/// Syllables of a buzz with pauses and a little noise: what a detector of speech takes for it.
inline std::vector<float> speech(double seconds, int rate_hz, double pitch_hz = 120,
                                 uint64_t seed = 1) {
  Random noise(seed);
  std::vector<float> out(static_cast<size_t>(seconds * rate_hz));
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz, place = std::fmod(t, 0.5);
    double sample = 0.001 * noise.next_normal();
    for (int k = 1; place < 0.3 && k <= 5; ++k) {
      sample += 0.25 * std::sin(std::numbers::pi * place / 0.3) *
                std::sin(2 * std::numbers::pi * pitch_hz * k * t) / k;
    }
    out[i] = static_cast<float>(sample);
  }
  return out;
}

/// Syllables of random pitch, colour and length: clips of different seeds have different codes.
inline std::vector<float> babble(double seconds, int rate_hz, uint64_t seed) {
  Random random(seed);
  std::vector<float> out(static_cast<size_t>(seconds * rate_hz));
  for (float& sample : out) sample = static_cast<float>(0.0008 * random.next_normal());
  for (double begin = 0; begin < seconds;) {
    const double length = 0.12 + 0.15 * random.next_uniform();
    const double pitch = 90 + 150 * random.next_uniform(), glide = random.next_uniform() - 0.5;
    double colour[8];
    for (double& one : colour) one = 0.05 + random.next_uniform();
    const auto first = static_cast<size_t>(begin * rate_hz);
    const auto last = std::min(out.size(), static_cast<size_t>((begin + length) * rate_hz));
    for (size_t i = first; i < last; ++i) {
      const double t = static_cast<double>(i - first) / rate_hz, place = t / length;
      const double phase = 2 * std::numbers::pi * pitch * (t + glide * t * t);
      double sample = 0;
      for (int k = 1; k <= 8; ++k) sample += colour[k - 1] * std::sin(k * phase) / k;
      out[i] += static_cast<float>(0.2 * std::sin(std::numbers::pi * place) * sample);
    }
    begin += length + 0.02 + 0.06 * random.next_uniform();
  }
  return out;
}

}  // namespace kani
