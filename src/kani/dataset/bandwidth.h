// bandwidth.h - up to which frequency a recording holds sound: one of 8 kHz that was resampled to
// 44.1 kHz has an empty upper band.  Source: training.md 15.2.
#pragma once

#include <span>

namespace kani {

/// In Hz, up to half the rate: the highest frequency whose mean power over the recording is at most
/// 70 dB below the strongest one.  From frames of 2,048 samples under a Hann window, so to within
/// rate / 1,000 or so.  0 for silence and for fewer samples than a frame.
double bandwidth_hz(std::span<const float> mono, int rate_hz);

}  // namespace kani
