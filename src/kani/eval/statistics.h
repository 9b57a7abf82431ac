// statistics.h - figures over many utterances and how sure they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kani {

/// A mean with its bounds.  n = 0: nothing was measured, and all else is 0.
struct Figure {
  size_t n = 0;
  double mean = 0, median = 0;
  double low = 0, high = 0;  // 95 % of the means of samples drawn again, with replacement
};

/// One utterance's share in a ratio of sums: errors and words, or a value and 1.
struct Part {
  double above = 0, below = 1;
};

inline constexpr int kResamples = 1000;

/// Sum of `above` over the sum of `below`; the median is that of the single ratios.  Bounds by the
/// percentile bootstrap with kResamples draws (B. Efron, 1979), the same for the same seed.  Parts
/// with below = 0 add to the sums alone.  Values that are not finite are left out.
Figure ratio_figure(std::span<const Part> parts, uint64_t seed);
/// Of plain values.
Figure mean_figure(std::span<const double> values, uint64_t seed);

/// The ratio of `a` less that of `b`, part i of both being of one sentence, which are drawn
/// together; the median is that of the differences.  Same lengths (asserted).
Figure difference_figure(std::span<const Part> a, std::span<const Part> b, uint64_t seed);

/// Middle value, mean of the two middle ones if their number is even; 0 for none.
double median(std::vector<double> values);

}  // namespace kani
