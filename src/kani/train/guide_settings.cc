// guide_settings.cc - see guide_settings.h.
#include "kani/train/guide_settings.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"

namespace kani::train {

void GuideSettings::validate() const {
  require(std::isfinite(weight) && weight >= 0, "guided_attention_weight is ", weight,
          ", must be 0 or more");
  require(steps >= 1, "guided_attention_steps is ", steps, ", must be 1 or more");
  require(std::isfinite(width) && width > 0, "guided_attention_width is ", width,
          ", must be above 0");
}

double GuideSettings::weight_at(int64_t n) const {
  return weight * std::max(0.0, 1 - static_cast<double>(n) / static_cast<double>(steps));
}

}  // namespace kani::train
