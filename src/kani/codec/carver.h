// carver.h - one piece of an accelerator's memory cut into parts, for the streams of this folder.
#pragma once

#include <cstddef>

#include "kani/backend/signal_ops.h"

namespace kani {

/// Without memory it only adds up sizes; with it, it hands the parts out.  The same calls are made
/// twice, so that the two cannot disagree.  Every part starts at a multiple of
/// SignalOps::kAlignment floats.  Never fails; the memory must have used() floats.
class Carver {
 public:
  explicit Carver(float* memory) : memory_(memory) {}
  /// nullptr without memory.
  float* take(size_t floats) {
    float* at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (floats + SignalOps::kAlignment - 1) / SignalOps::kAlignment * SignalOps::kAlignment;
    return at;
  }
  Matrix take(size_t rows, size_t cols) { return {take(rows * cols), rows, cols}; }
  size_t used() const { return used_; }

 private:
  float* memory_;
  size_t used_ = 0;
};

}  // namespace kani
