// encoder_avx512.cc - the speaker encoder's kernels for AVX-512 (F, BW, VL, DQ): the shared bodies,
// compiled with this set's flags.
#include "kani/backend/cpu/kernels/encoder_simd.h"

namespace kani::cpu {

constinit const EncoderTable kEncoderAvx512{
    panel_f32, nullptr, nullptr, to_panel, nullptr, finish, layer_norm, biased_softmax, scale, dot};

}  // namespace kani::cpu
