// test_sounds.h - sound files made byte by byte, so that any field can lie.  For the tests of
// hostile recordings (reliability.md 6).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace kani::test {

template <typename T>
std::string little(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

inline std::string chunk(const std::string& name, const std::string& body) {
  return name + little(static_cast<uint32_t>(body.size())) + body +
         std::string(body.size() % 2, '\0');
}

struct WavFormat {
  uint16_t kind = 1;
  uint16_t channels = 1;
  uint32_t rate = 16000;
  uint16_t bits = 16;
  int align = -1;  // -1: what it should be
};

inline std::string format_chunk(const WavFormat& f) {
  const auto align =
      static_cast<uint16_t>(f.align >= 0 ? f.align : f.channels * ((f.bits + 7) / 8));
  return chunk("fmt ", little(f.kind) + little(f.channels) + little(f.rate) +
                           little(static_cast<uint32_t>(f.rate * align)) + little(align) +
                           little(f.bits));
}

inline std::string riff(const std::string& chunks, const std::string& name = "RIFF") {
  return name + little(static_cast<uint32_t>(chunks.size() + 4)) + "WAVE" + chunks;
}

inline std::string samples16(const std::vector<float>& sound) {
  std::string out;
  for (const float sample : sound)
    out += little(
        static_cast<int16_t>(std::lround(32767 * std::fmax(-1.0F, std::fmin(1.0F, sample)))));
  return out;
}

inline std::string wav(const WavFormat& format, const std::string& data) {
  return riff(format_chunk(format) + chunk("data", data));
}

}  // namespace kani::test
