// test_voices.h - speakers out of a formula, for tests: buzzes that differ in pitch and in where
// their spectrum has its peaks, as WAV files in a folder for each speaker.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "kani/base/file.h"
#include "kani/base/random.h"

namespace kani::train {

/// 16-bit mono.
inline void write_test_wav(const std::filesystem::path& path, const std::vector<float>& samples,
                           uint32_t rate_hz = 16000) {
  std::string out;
  const auto put = [&](auto value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
  };
  const auto size = static_cast<uint32_t>(samples.size() * 2);
  out += "RIFF";
  put(size + 36);
  out += "WAVEfmt ";
  put(uint32_t{16});
  put(uint16_t{1});
  put(uint16_t{1});
  put(rate_hz);
  put(2 * rate_hz);
  put(uint16_t{2});
  put(uint16_t{16});
  out += "data";
  put(size);
  for (const float x : samples) put(static_cast<int16_t>(std::lround(x * 32767)));
  write_file(path, out);
}

/// A voice: harmonics of a wandering pitch through two resonances.
inline std::vector<float> test_voice(int speaker, int recording, size_t length = 16000) {
  Random random(static_cast<uint64_t>(speaker * 1000 + recording));
  const double pitch = 90 + 23 * speaker + 8 * random.next_uniform();
  const double low = 400 + 90 * (speaker % 5), high = 1300 + 230 * (speaker % 7);
  std::vector<float> out(length);
  for (size_t i = 0; i < length; ++i) {
    const double t = static_cast<double>(i) / 16000;
    const double phase = pitch * t + 2 * std::sin(2 * std::numbers::pi * 2 * t);
    double sum = 0;
    for (int h = 1; h <= 20; ++h) {
      const double f = pitch * h;
      const double level = std::exp(-std::pow((f - low) / 200, 2)) +
                           0.7 * std::exp(-std::pow((f - high) / 250, 2)) + 0.02;
      sum += level * std::sin(2 * std::numbers::pi * phase * h);
    }
    out[i] = static_cast<float>(0.1 * sum + 0.001 * random.next_normal());
  }
  return out;
}

/// Removes itself.  data/ has speakers 0 to 7, strangers/ 8 to 11, three seconds of each.
class VoicesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    for (const auto& [set, first, last] :
         {std::tuple{"data", 0, 8}, std::tuple{"strangers", 8, 12}}) {
      for (int speaker = first; speaker < last; ++speaker) {
        const auto place = folder_ / set / ("s" + std::to_string(speaker));
        std::filesystem::create_directories(place);
        for (int i = 0; i < 3; ++i)
          write_test_wav(place / (std::to_string(i) + ".wav"), test_voice(speaker, i));
      }
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("kani-voices-" + std::to_string(getpid()));
};

}  // namespace kani::train
