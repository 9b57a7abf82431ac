// packed_weights.cc - see packed_weights.h.
#include "kani/backend/cpu/packed_weights.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "kani/base/numbers.h"

namespace kani::cpu {
namespace {

void pack_f32(const ConvShape& s, const float* weight, const PackedRow& to) {
  for (size_t k = 0; k < s.inputs * s.taps; ++k) to.at(k) = weight[k];
}

void pack_bf16(const ConvShape& s, const float* weight, const PackedRow& to) {
  const auto bits = [&](size_t i, size_t j) -> uint32_t {
    return i < s.inputs ? f32_to_bf16(weight[i * s.taps + j]) : 0;
  };
  const size_t cells = channel_cells(s.type, s.inputs);
  for (size_t c = 0; c < cells; ++c) {
    for (size_t j = 0; j < s.taps; ++j) {
      const uint32_t pair = bits(2 * c, j) | bits(2 * c + 1, j) << 16;
      to.at(c * s.taps + j) = std::bit_cast<float>(pair);
    }
  }
}

void pack_i8(const ConvShape& s, const float* weight, const PackedRow& to) {
  float most = 0;
  for (size_t k = 0; k < s.inputs * s.taps; ++k) most = std::max(most, std::fabs(weight[k]));
  const float factor = most > 0 ? 127 / most : 0.0F;
  const size_t cells = channel_cells(s.type, s.inputs);
  for (size_t j = 0; j < s.taps; ++j) {
    int32_t sum = 0;
    for (size_t c = 0; c < cells; ++c) {
      uint32_t four = 0;
      for (size_t i = 4 * c; i < std::min(4 * c + 4, s.inputs); ++i) {
        // Not a number becomes -127: a file may hold such weights once they are folded.
        const float scaled = std::fmin(std::fmax(weight[i * s.taps + j] * factor, -127.0F), 127.0F);
        const auto whole = static_cast<int32_t>(std::nearbyint(scaled));
        sum += whole;
        four |= (static_cast<uint32_t>(whole) & 0xFF) << (8 * (i % 4));
      }
      to.at(j * cells + c) = std::bit_cast<float>(four);
    }
    to.at(s.taps * cells + j) = std::bit_cast<float>(-128 * sum);
  }
  to.at(s.taps * (cells + 1)) = most / 127;
}

}  // namespace

size_t packed_row(const ConvShape& s) {
  const size_t cells = channel_cells(s.type, s.inputs);
  return s.type == SignalType::kI8 ? s.taps * (cells + 1) + 1 : s.taps * cells;
}

void pack_row(const ConvShape& shape, const float* weight, const PackedRow& to) {
  switch (shape.type) {
    case SignalType::kF32:
      return pack_f32(shape, weight, to);
    case SignalType::kBf16:
      return pack_bf16(shape, weight, to);
    case SignalType::kI8:
      return pack_i8(shape, weight, to);
  }
}

}  // namespace kani::cpu
