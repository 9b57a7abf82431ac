// stretch.h - faster or slower speech at the same pitch (WSOLA), streaming.
// Source: Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for
// high quality time-scale modification of speech", ICASSP 1993.  For one voice; music would smear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kani {

/// speed 2 halves the duration.  speed 1 passes samples through untouched.  One thread at a time.
/// The output does not depend on how the input is cut into pushes.
class TimeStretcher {
 public:
  /// speed in [0.25, 4], rate in [8000, 192000]; throws Error(kInvalidArgument) otherwise.
  TimeStretcher(double speed, int rate_hz);
  /// Appends what is ready to `out`: about 40 ms of input stay back.
  void push(std::span<const float> samples, std::vector<float>& out);
  /// Appends the rest: in all round(samples in / speed) samples.  The stretcher can then be used
  /// again from the start.
  void finish(std::vector<float>& out);

 private:
  uint64_t ideal(uint64_t step) const;
  uint64_t samples_in() const { return dropped_ + pending_.size(); }
  const float* at(uint64_t position) const { return pending_.data() + (position - dropped_); }
  void make_step(uint64_t first, uint64_t last);
  uint64_t most_similar(uint64_t first, uint64_t last) const;
  void emit(uint64_t until, std::vector<float>& out);
  void drop_unneeded();
  void restart();

  double speed_;
  size_t hop_;     // output samples a step makes: half a window
  size_t search_;  // samples a step may move to either side
  std::vector<float> fade_in_;

  std::vector<float> pending_;  // input from sample dropped_ on
  uint64_t dropped_ = 0;
  uint64_t step_ = 0;
  uint64_t continuation_ = 0;  // input that would follow the last step's naturally
  std::vector<float> ready_;   // output from sample emitted_ on
  uint64_t emitted_ = 0;
};

}  // namespace kani
