// quant_neondot.cc - the quantized products for 64-bit ARM with dot products of whole numbers
// (ARMv8.2 and the extension dotprod).
#include "kani/backend/cpu/kernels/quant_neon_simd.h"

namespace kani::cpu {

constinit const QuantTable kQuantNeonDot{gemm<kQ8Bytes, block_sums_q8>,
                                         gemm<kQ4Bytes, block_sums_q4>, nullptr, nullptr, nullptr};

}  // namespace kani::cpu
