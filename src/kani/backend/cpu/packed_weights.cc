// packed_weights.cc - see packed_weights.h.
#include "kani/backend/cpu/packed_weights.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/base/numbers.h"

namespace kani::cpu {
namespace {

void pack_f32(const ConvShape& s, const float* weight, const PackedRow& to) {
  for (size_t k = 0; k < s.inputs * s.taps; ++k) to.at(k) = weight[k];
}

// What four taps become for the nine sums.
std::array<double, kSplitSums> split_taps(const std::array<double, kSplitPhases>& g) {
  const auto [a, b, c, d] = g;
  return {a, a + b, b, a + c, a + b + c + d, b + d, c, c + d, d};
}

void pack_split(const ConvShape& s, const float* weight, const PackedRow& to) {
  const size_t groups = s.padded_taps() / kSplitPhases, missing = s.padded_taps() - s.taps;
  std::array<size_t, kSplitSums> own{}, next{};  // groups of a sum; where its next weight goes
  for (size_t k = 0, start = 0; k < kSplitSums; ++k) {
    own[k] = split_groups(s, k);
    next[k] = start;
    start += s.inputs * own[k];
  }
  for (size_t i = 0; i < s.inputs; ++i) {
    for (size_t group = 0; group < groups; ++group) {
      std::array<double, kSplitPhases> g{};
      for (size_t j = 0; j < g.size(); ++j) {
        const size_t tap = group * kSplitPhases + j;
        if (tap >= missing) g[j] = weight[i * s.taps + tap - missing];
      }
      const std::array<double, kSplitSums> u = split_taps(g);
      for (size_t k = 0; k < kSplitSums; ++k) {
        if (group + own[k] >= groups) to.at(next[k]++) = static_cast<float>(u[k]);
      }
    }
  }
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

size_t split_groups(const ConvShape& s, size_t k) {
  const size_t groups = s.padded_taps() / kSplitPhases, missing = s.padded_taps() - s.taps;
  std::array<double, kSplitPhases> there{};
  for (size_t j = missing; j < there.size(); ++j) there[j] = 1;
  return split_taps(there)[k] != 0 ? groups : groups - 1;
}

size_t packed_row(const ConvShape& s) {
  if (s.split) {
    size_t groups = 0;
    for (size_t k = 0; k < kSplitSums; ++k) groups += split_groups(s, k);
    return s.inputs * groups;
  }
  const size_t cells = channel_cells(s.type, s.inputs);
  return s.type == SignalType::kI8 ? s.taps * (cells + 1) + 1 : s.taps * cells;
}

void pack_row(const ConvShape& shape, const float* weight, const PackedRow& to) {
  if (shape.split) return pack_split(shape, weight, to);
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
