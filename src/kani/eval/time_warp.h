// time_warp.h - how far two recordings are from saying the same, one stretched onto the other.
// Source: H. Sakoe, S. Chiba, "Dynamic programming algorithm optimization for spoken word
// recognition", 1978.  Knows no language; hears the voice a little, too.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "kani/eval/mel_cepstrum.h"

namespace kani {

/// Frames from the first to the last one that is speech, the mean of each cepstrum taken off (which
/// takes most of the microphone and some of the voice with it) and divided by its deviation.
using WarpFrames = std::vector<std::array<float, kCepstra>>;
WarpFrames warp_frames(std::span<const CepstrumFrame> frames);

/// Mean distance along the cheapest path from both starts to both ends, with steps (1,1), (1,2) and
/// (2,1) so that no part is stretched beyond twice or half its length; where the lengths differ by
/// more than that, the longer one is first thinned evenly.  0 = the same; infinite if either is
/// shorter than ten frames.
double warp_distance(std::span<const std::array<float, kCepstra>> a,
                     std::span<const std::array<float, kCepstra>> b);

}  // namespace kani
