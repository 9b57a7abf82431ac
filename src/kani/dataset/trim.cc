// trim.cc - see trim.h.
#include "kani/dataset/trim.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kBlock = 1 << 16;  // samples that are looked at together

}  // namespace

void FramePowers::push(std::span<const float> mono) {
  for (; mono.size() > kBlock; mono = mono.subspan(kBlock)) add(mono.first(kBlock));
  add(mono);
}

void FramePowers::add(std::span<const float> mono) {
  kept_.insert(kept_.end(), mono.begin(), mono.end());
  samples_ += mono.size();
  const size_t half = options_.frame / 2;
  while (powers_.size() * options_.step + half <= samples_) measure(powers_.size() * options_.step);
  if (kept_.size() > options_.frame) {
    const auto keep = static_cast<std::ptrdiff_t>(options_.frame);
    kept_.erase(kept_.begin(), kept_.end() - keep);
  }
}

void FramePowers::measure(size_t centre) {
  const size_t half = options_.frame / 2, first = samples_ - kept_.size();
  const size_t begin = centre - std::min(centre, half), end = std::min(samples_, centre + half);
  double sum = 0;
  for (size_t i = begin - first; i < end - first; ++i) sum += double{kept_[i]} * double{kept_[i]};
  powers_.push_back(sum / static_cast<double>(options_.frame));
}

std::vector<double> FramePowers::finish() {
  while (powers_.size() * options_.step <= samples_) measure(powers_.size() * options_.step);
  return std::move(powers_);
}

std::optional<double> heard_from(std::span<const double> powers, const TrimOptions& options) {
  if (powers.empty()) return std::nullopt;
  const double loudest = *std::max_element(powers.begin(), powers.end());
  if (loudest < std::pow(10, options.lowest_db / 10)) return std::nullopt;
  return loudest * std::pow(10, -options.below_loudest_db / 10);
}

std::vector<SampleRange> find_silences(std::span<const double> powers, size_t samples, size_t least,
                                       const TrimOptions& options) {
  const std::optional<double> threshold = heard_from(powers, options);
  if (!threshold) return {{0, samples}};
  std::vector<SampleRange> silences;
  const size_t half = options.frame / 2;
  for (size_t i = 0; i < powers.size();) {
    size_t end = i;
    while (end < powers.size() && powers[end] < *threshold) ++end;
    if (end > i) {
      const size_t first = i * options.step, last = (end - 1) * options.step;
      const SampleRange range{first - std::min(first, half),
                              end == powers.size() ? samples : std::min(samples, last + half)};
      if (range.end - range.begin >= least) silences.push_back(range);
    }
    i = end + 1;
  }
  return silences;
}

SoundRange find_sound(std::span<const float> mono, int rate_hz, const TrimOptions& options) {
  require(options.pad_s >= 0 && options.pad_s <= 2, "pad is ", options.pad_s, " s, must be 0 to 2");
  SoundRange range{0, mono.size(), 1};
  if (mono.empty()) return range;
  FramePowers frames(options);
  frames.push(mono);
  const std::vector<double> powers = frames.finish();
  const std::optional<double> threshold = heard_from(powers, options);
  if (!threshold) return range;
  const auto heard = [&](double power) { return power >= *threshold; };
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
