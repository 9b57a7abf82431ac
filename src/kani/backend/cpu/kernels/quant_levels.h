// quant_levels.h - the levels of 4 bits (quant/blocks.h) in the forms that kernels read.  Data
// only.
#pragma once

#include <cstdint>

#include "kani/quant/blocks.h"

namespace kani::cpu {
namespace {

struct Levels {
  int8_t as_int8[16];
  uint8_t plus_128[16];
  float as_float[16];
  // [-128, 128) in 32 pieces: the bound between codes that lies in each, if one does, and the code
  // below it.
  float bounds[32];
  int32_t codes[32];
  float lower[32], upper[32];  // levels below and above that bound
  float candidates[10];
};

constexpr Levels make_levels() {
  Levels levels{};
  for (int i = 0; i < 16; ++i) {
    levels.as_int8[i] = kQ4Levels[i];
    levels.plus_128[i] = static_cast<uint8_t>(kQ4Levels[i] + 128);
    levels.as_float[i] = kQ4Levels[i];
  }
  int below = 0;
  for (int piece = 0; piece < 32; ++piece) {
    const float end = static_cast<float>(-128 + 8 * (piece + 1));
    levels.codes[piece] = below;
    levels.bounds[piece] = 1e30F;
    levels.lower[piece] = levels.upper[piece] = kQ4Levels[below];
    if (below < 15 && kQ4Bounds[below] < end) {
      levels.bounds[piece] = kQ4Bounds[below++];
      levels.upper[piece] = kQ4Levels[below];
    }
  }
  for (int i = 0; i < 10; ++i) levels.candidates[i] = kQ4Candidates[i];
  return levels;
}

[[maybe_unused]] constexpr Levels kLevels = make_levels();
static_assert(kLevels.codes[31] == 15, "no piece holds two bounds");

}  // namespace
}  // namespace kani::cpu
