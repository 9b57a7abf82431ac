// stretch.h - faster or slower speech at the same pitch (WSOLA), streaming.
#pragma once

#include <span>
#include <vector>

namespace kani {

/// speed 2 halves the duration.  speed 1 passes samples through untouched.  One thread at a time.
class TimeStretcher {
 public:
  /// speed in [0.25, 4]; throws Error(kInvalidArgument) otherwise.
  TimeStretcher(double speed, int rate_hz);
  /// Appends what is ready to `out`.
  void push(std::span<const float> samples, std::vector<float>& out);
  /// Appends the rest; the stretcher can then be used again from the start.
  void finish(std::vector<float>& out);

 private:
  double speed_;
  int rate_hz_;
  std::vector<float> pending_;
};

}  // namespace kani
