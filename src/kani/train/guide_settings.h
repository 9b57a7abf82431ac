// guide_settings.h - how much and how long attention is guided (guided_attention.h).
// Not here: LibTorch.
#pragma once

#include <cstdint>

namespace kani::train {

struct GuideSettings {
  double weight = 0;    // on the penalty at the first update; 0: none
  int64_t steps = 800;  // updates until it is 0, along a line
  double width = 0.12;  // w

  /// Throws Error(kInvalidArgument) naming the setting.
  void validate() const;
  /// For update n = 0, 1, ….
  double weight_at(int64_t n) const;
};

}  // namespace kani::train
