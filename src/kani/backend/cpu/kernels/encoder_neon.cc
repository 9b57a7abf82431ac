// encoder_neon.cc - the speaker encoder's kernels for NEON of 64-bit ARM: the shared bodies,
// compiled with this set's flags.
#include "kani/backend/cpu/kernels/encoder_simd.h"

namespace kani::cpu {

constinit const EncoderTable kEncoderNeon{panel_f32, nullptr,    nullptr,        to_panel, nullptr,
                                          finish,    layer_norm, biased_softmax, scale,    dot};

}  // namespace kani::cpu
