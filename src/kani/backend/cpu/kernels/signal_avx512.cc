// signal_avx512.cc - the codec's kernels for AVX-512: 9 x 3 of the 32 registers hold sums, and 9
// divides every width of the released models (432, 216, 108, 54, 27).
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"

namespace kani::cpu {

constinit const SignalTable kSignalAvx512{.conv = {conv<Block<Single>, 9, 3>, 9, 3 * kLanes},
                                          .half_snake = half_snake,
                                          .upsample = upsample,
                                          .conv_bf16 = {},
                                          .pack_bf16 = nullptr,
                                          .conv_i8 = {},
                                          .pack_i8 = nullptr};

}  // namespace kani::cpu
