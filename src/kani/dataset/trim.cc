// trim.cc - see trim.h.
#include "kani/dataset/trim.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kani/base/error.h"

namespace kani {
namespace {

/// Mean square of the frame around each multiple of the step.
std::vector<double> frame_powers(std::span<const float> mono, const TrimOptions& options) {
  const size_t half = options.frame / 2;
  std::vector<double> powers;
  for (size_t centre = 0; centre <= mono.size(); centre += options.step) {
    const size_t begin = centre - std::min(centre, half);
    const size_t end = std::min(mono.size(), centre + half);
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += double{mono[i]} * double{mono[i]};
    powers.push_back(sum / static_cast<double>(options.frame));
  }
  return powers;
}

}  // namespace

SoundRange find_sound(std::span<const float> mono, int rate_hz, const TrimOptions& options) {
  require(options.pad_s >= 0 && options.pad_s <= 2, "pad is ", options.pad_s, " s, must be 0 to 2");
  SoundRange range{0, mono.size(), 1};
  if (mono.empty()) return range;
  const std::vector<double> powers = frame_powers(mono, options);
  const double loudest = *std::max_element(powers.begin(), powers.end());
  if (loudest < std::pow(10, options.lowest_db / 10)) return range;
  const double threshold = loudest * std::pow(10, -options.below_loudest_db / 10);
  const auto heard = [&](double power) { return power >= threshold; };
  const auto first = std::find_if(powers.begin(), powers.end(), heard);
  const auto last = std::find_if(powers.rbegin(), powers.rend(), heard).base();
  const auto pad = static_cast<size_t>(std::lround(options.pad_s * rate_hz));
  const size_t begin = static_cast<size_t>(first - powers.begin()) * options.step;
  const size_t end = static_cast<size_t>(last - powers.begin()) * options.step;
  range.begin = begin - std::min(begin, pad);
  range.end = std::min(mono.size(), end + pad);
  range.silent_share = static_cast<double>((last - first) - std::count_if(first, last, heard)) /
                       static_cast<double>(last - first);
  return range;
}

}  // namespace kani
