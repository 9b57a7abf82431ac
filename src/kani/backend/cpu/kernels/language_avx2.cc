// language_avx2.cc - the language model's kernels for AVX2 with FMA: the shared bodies, compiled
// with this set's flags.
#include "kani/backend/cpu/kernels/language_simd.h"

namespace kani::cpu {

constinit const LanguageTable kLanguageAvx2{gemm_f32,  gemm_bf16, rms_norm, silu_mul,
                                            norm_rope, conv_step, attend};

}  // namespace kani::cpu
