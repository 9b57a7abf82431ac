// signal_neon.cc - the codec's kernels for NEON: 8 x 3 of the 32 registers hold sums.
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"
#include "kani/backend/cpu/kernels/split_simd.h"

namespace kani::cpu {

constinit const SignalTable kSignalNeon{.conv = {conv<Block<Single>, 8, 3>, 8, 3 * kLanes},
                                        .split = split,
                                        .join = join,
                                        .half_snake = half_snake,
                                        .upsample = upsample,
                                        .conv_bf16 = {},
                                        .pack_bf16 = nullptr,
                                        .conv_i8 = {},
                                        .pack_i8 = nullptr};

}  // namespace kani::cpu
