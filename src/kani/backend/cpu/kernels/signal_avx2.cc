// signal_avx2.cc - the codec's kernels for AVX2 and FMA: 6 x 2 of the 16 registers hold sums.
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"
#include "kani/backend/cpu/kernels/split_simd.h"

namespace kani::cpu {

constinit const SignalTable kSignalAvx2{.conv = {conv<Block<Single>, 6, 2>, 6, 2 * kLanes},
                                        .split = split,
                                        .join = join,
                                        .half_snake = half_snake,
                                        .upsample = upsample,
                                        .conv_bf16 = {},
                                        .pack_bf16 = nullptr,
                                        .conv_i8 = {},
                                        .pack_i8 = nullptr};

}  // namespace kani::cpu
