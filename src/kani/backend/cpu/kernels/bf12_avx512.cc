// bf12_avx512.cc - bf16 in 12 bits for AVX-512 (F, BW, VL, DQ): the shared bodies, compiled with
// this set's flags.
#include "kani/backend/cpu/kernels/bf12_simd.h"

namespace kani::cpu {

constinit const Bf12Table kBf12Avx512{gemm, kTokens, expand, pack, largest_exponent};

}  // namespace kani::cpu
