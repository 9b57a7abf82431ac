// trim.h - where a recording begins and ends to be heard, and how much of it is silence.
// Source: training.md 15.4: frames of 2,048 samples every 512, sound is what is at most 50 dB below
// the loudest frame (NeMo's and librosa's default); and where it is silent in between.
// Not here: cutting inside (pieces.h).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace kani {

struct TrimOptions {
  size_t frame = 2048;  // samples; centred on a multiple of `step`, zeros beyond the ends
  size_t step = 512;
  double below_loudest_db = 50;
  double lowest_db = -80;  // a recording whose loudest frame is below has no sound
  double pad_s = 0.1;      // left at both ends, as far as there is something
};

/// Mean square of the frame around each multiple of the step, of a recording that comes bit by bit:
/// memory is that of a frame, and 8 bytes for each step.  One thread at a time.
class FramePowers {
 public:
  explicit FramePowers(const TrimOptions& options) : options_(options) {}
  void push(std::span<const float> mono);
  /// One for each multiple in [0, samples].  Nothing can be pushed after.
  std::vector<double> finish();
  size_t samples() const { return samples_; }

 private:
  void add(std::span<const float> mono);
  void measure(size_t centre);

  TrimOptions options_;
  size_t samples_ = 0;
  std::vector<float> kept_;  // the last of them
  std::vector<double> powers_;
};

/// From which power on a frame is heard; nothing for a recording without sound.
std::optional<double> heard_from(std::span<const double> powers, const TrimOptions& options);

struct SampleRange {
  size_t begin = 0;  // samples [begin, end)
  size_t end = 0;
};

/// What frames that are not heard cover, one beside the other, for `least` samples and more: never
/// more than what is silent.  All of a recording without sound.  `powers` of FramePowers, of so
/// many samples.
std::vector<SampleRange> find_silences(std::span<const double> powers, size_t samples, size_t least,
                                       const TrimOptions& options = {});

struct SoundRange {
  size_t begin = 0;  // samples [begin, end)
  size_t end = 0;
  double silent_share = 1;  // of the frames between first and last sound; 1 if there is none
};

/// The whole range and silent_share 1 for a recording without sound.  At most 2 s of pad
/// (Error(kInvalidArgument)).
SoundRange find_sound(std::span<const float> mono, int rate_hz, const TrimOptions& options = {});

}  // namespace kani
