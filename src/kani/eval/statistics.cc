// statistics.cc - see statistics.h.
#include "kani/eval/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kani/base/random.h"

namespace kani {
namespace {

constexpr double kLow = 0.025, kHigh = 0.975;

double ratio(double above, double below) { return below == 0 ? 0 : above / below; }

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto at = static_cast<size_t>(place);
  if (at + 1 == sorted.size()) return sorted[at];
  return sorted[at] + (place - static_cast<double>(at)) * (sorted[at + 1] - sorted[at]);
}

/// With `b` not empty of the difference of the two ratios.
void bound(Figure& figure, std::span<const Part> a, std::span<const Part> b, uint64_t seed) {
  Random random(seed);
  std::vector<double> means;
  means.reserve(kResamples);
  const auto count = static_cast<double>(a.size());
  for (int draw = 0; draw < kResamples; ++draw) {
    Part first{0, 0}, second{0, 0};
    for (size_t i = 0; i < a.size(); ++i) {
      const auto at = static_cast<size_t>(random.next_uniform() * count);
      first.above += a[at].above;
      first.below += a[at].below;
      if (b.empty()) continue;
      second.above += b[at].above;
      second.below += b[at].below;
    }
    means.push_back(ratio(first.above, first.below) - ratio(second.above, second.below));
  }
  std::sort(means.begin(), means.end());
  figure.low = quantile(means, kLow);
  figure.high = quantile(means, kHigh);
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Figure ratio_figure(std::span<const Part> given, uint64_t seed) {
  std::vector<Part> parts;
  for (const Part& part : given) {
    if (std::isfinite(part.above) && std::isfinite(part.below)) parts.push_back(part);
  }
  Figure figure;
  figure.n = parts.size();
  if (parts.empty()) return figure;
  double above = 0, below = 0;
  std::vector<double> single;
  for (const Part& part : parts) {
    above += part.above;
    below += part.below;
    if (part.below != 0) single.push_back(part.above / part.below);
  }
  figure.mean = ratio(above, below);
  figure.median = median(std::move(single));
  bound(figure, parts, {}, seed);
  return figure;
}

Figure difference_figure(std::span<const Part> a, std::span<const Part> b, uint64_t seed) {
  assert(a.size() == b.size());
  Figure figure;
  figure.n = a.size();
  if (a.empty()) return figure;
  Part first{0, 0}, second{0, 0};
  std::vector<double> single;
  for (size_t i = 0; i < a.size(); ++i) {
    first.above += a[i].above;
    first.below += a[i].below;
    second.above += b[i].above;
    second.below += b[i].below;
    single.push_back(ratio(a[i].above, a[i].below) - ratio(b[i].above, b[i].below));
  }
  figure.mean = ratio(first.above, first.below) - ratio(second.above, second.below);
  figure.median = median(std::move(single));
  bound(figure, a, b, seed);
  return figure;
}

Figure mean_figure(std::span<const double> values, uint64_t seed) {
  std::vector<Part> parts;
  for (const double value : values) parts.push_back({value, 1});
  return ratio_figure(parts, seed);
}

}  // namespace kani
