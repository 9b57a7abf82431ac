// signal_neon.cc - the codec's kernels for NEON: 8 x 3 of the 32 registers hold sums.
#include "kani/backend/cpu/kernels/conv_simd.h"
#include "kani/backend/cpu/kernels/snake_simd.h"

namespace kani::cpu {

constinit const SignalTable kSignalNeon{{conv<8, 3>, 8, 3 * kLanes}, half_snake, upsample};

}  // namespace kani::cpu
