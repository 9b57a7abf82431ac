// trim.h - where a recording begins and ends to be heard, and how much of it is silence.
// Source: training.md 15.4: frames of 2,048 samples every 512, sound is what is at most 50 dB below
// the loudest frame (NeMo's and librosa's default).  Not here: cutting inside.
#pragma once

#include <cstddef>
#include <span>

namespace kani {

struct TrimOptions {
  size_t frame = 2048;  // samples; centred on a multiple of `step`, zeros beyond the ends
  size_t step = 512;
  double below_loudest_db = 50;
  double lowest_db = -80;  // a recording whose loudest frame is below has no sound
  double pad_s = 0.1;      // left at both ends, as far as there is something
};

struct SoundRange {
  size_t begin = 0;  // samples [begin, end)
  size_t end = 0;
  double silent_share = 1;  // of the frames between first and last sound; 1 if there is none
};

/// The whole range and silent_share 1 for a recording without sound.  At most 2 s of pad
/// (Error(kInvalidArgument)).
SoundRange find_sound(std::span<const float> mono, int rate_hz, const TrimOptions& options = {});

}  // namespace kani
