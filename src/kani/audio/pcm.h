// pcm.h - float samples to 16-bit ones, and numbers to little-endian bytes.
// One scale for the whole project: 1.0 is 32768, as in every decoder that divides by 32768, so that
// 16-bit sound survives a trip through float unchanged.  No dither: speech is not faded out slowly.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kani {

using Bytes = std::vector<std::byte>;

/// NaN becomes 0, everything beyond [-1, 1] (infinity too) becomes the nearer end.
inline float clean_sample(float sample) noexcept {
  return std::isnan(sample) ? 0.0F : std::clamp(sample, -1.0F, 1.0F);
}

/// Rounds to nearest, ties to even; saturates at -32768 and 32767; NaN becomes 0.
inline int16_t f32_to_s16(float sample) noexcept {
  return static_cast<int16_t>(std::min(std::lrint(clean_sample(sample) * 32768.0F), 32767L));
}

/// The low `count` bytes of `value`, least significant first.
inline void append_le(Bytes& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
}

inline void append_text(Bytes& bytes, std::string_view text) {
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
}

/// s16le, two bytes a sample.
inline void append_s16le(Bytes& bytes, std::span<const float> samples) {
  bytes.reserve(bytes.size() + 2 * samples.size());
  for (const float sample : samples) {
    append_le(bytes, static_cast<uint16_t>(f32_to_s16(sample)), 2);
  }
}

}  // namespace kani
