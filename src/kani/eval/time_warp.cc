// time_warp.cc - see time_warp.h.
#include "kani/eval/time_warp.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kani {
namespace {

constexpr size_t kShortest = 10;
constexpr double kMostStretch = 1.8;  // of the lengths; leaves the path some freedom below 2
constexpr float kNever = std::numeric_limits<float>::infinity();

using Frame = std::array<float, kCepstra>;

float distance(const Frame& a, const Frame& b) {
  float sum = 0;
  for (size_t n = 0; n < kCepstra; ++n) sum += (a[n] - b[n]) * (a[n] - b[n]);
  return std::sqrt(sum);
}

/// `frames` spread evenly over `length` places.
WarpFrames thinned(std::span<const Frame> frames, size_t length) {
  WarpFrames out;
  for (size_t i = 0; i < length; ++i) out.push_back(frames[i * frames.size() / length]);
  return out;
}

double path_distance(std::span<const Frame> a, std::span<const Frame> b) {
  // cost[j]: cheapest way to (i, j).  A step over two frames of one side pays for both.
  const size_t width = b.size();
  std::vector<std::vector<float>> cost(3, std::vector<float>(width, kNever));
  std::vector<std::vector<float>> local(2, std::vector<float>(width, 0));
  for (size_t i = 0; i < a.size(); ++i) {
    std::vector<float>& row = cost[i % 3];
    std::vector<float>& d = local[i % 2];
    const std::vector<float>& d1 = local[(i + 1) % 2];
    const std::vector<float>& before = cost[(i + 2) % 3];
    const std::vector<float>& two_before = cost[(i + 1) % 3];
    for (size_t j = 0; j < width; ++j) d[j] = distance(a[i], b[j]);
    std::fill(row.begin(), row.end(), kNever);
    if (i == 0) {
      row[0] = 2 * d[0];
      continue;
    }
    for (size_t j = 1; j < width; ++j) {
      // Weights are the frames advanced on both sides: 2, 3, 3.
      float best = before[j - 1] + 2 * d[j];
      if (j >= 2) best = std::min(best, before[j - 2] + 2 * d[j - 1] + d[j]);
      if (i >= 2) best = std::min(best, two_before[j - 1] + 2 * d1[j] + d[j]);
      row[j] = best;
    }
  }
  const auto total = static_cast<double>(cost[(a.size() - 1) % 3][width - 1]);
  return total / static_cast<double>(a.size() + b.size());
}

}  // namespace

WarpFrames warp_frames(std::span<const CepstrumFrame> frames) {
  const double threshold = speech_threshold_db(frames);
  const auto speech = [&](const CepstrumFrame& frame) {
    return static_cast<double>(frame.level_db) >= threshold;
  };
  const auto first = std::find_if(frames.begin(), frames.end(), speech);
  const auto last = std::find_if(frames.rbegin(), frames.rend(), speech).base();
  if (first >= last) return {};
  WarpFrames out;
  Frame mean{}, deviation{};
  for (auto at = first; at != last; ++at) out.push_back(at->c);
  for (size_t n = 0; n < kCepstra; ++n) {
    double sum = 0, squares = 0;
    for (const Frame& frame : out) {
      sum += static_cast<double>(frame[n]);
      squares += static_cast<double>(frame[n]) * static_cast<double>(frame[n]);
    }
    const double average = sum / static_cast<double>(out.size());
    mean[n] = static_cast<float>(average);
    deviation[n] = static_cast<float>(
        std::sqrt(std::max(squares / static_cast<double>(out.size()) - average * average, 1e-6)));
  }
  for (Frame& frame : out) {
    for (size_t n = 0; n < kCepstra; ++n) frame[n] = (frame[n] - mean[n]) / deviation[n];
  }
  return out;
}

double warp_distance(std::span<const Frame> a, std::span<const Frame> b) {
  if (a.size() < kShortest || b.size() < kShortest) return std::numeric_limits<double>::infinity();
  if (a.size() > b.size()) std::swap(a, b);
  const auto most = static_cast<size_t>(kMostStretch * static_cast<double>(a.size()));
  if (b.size() <= most) return path_distance(a, b);
  return path_distance(a, thinned(b, most));
}

}  // namespace kani
