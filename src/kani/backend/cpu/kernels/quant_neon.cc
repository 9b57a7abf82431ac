// quant_neon.cc - the quantized products for every 64-bit ARM.
#include "kani/backend/cpu/kernels/quant_neon_simd.h"

namespace kani::cpu {

constinit const QuantTable kQuantNeon{gemm<kQ8Bytes, block_sums_q8>, gemm<kQ4Bytes, block_sums_q4>,
                                      quantize, nullptr, nullptr};

}  // namespace kani::cpu
