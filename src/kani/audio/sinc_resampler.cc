// sinc_resampler.cc - see sinc_resampler.h.  The full kernel has b rows of 2w + a columns, almost
// all of them zeros (a rate without a common divisor would have a thousand million); only the
// stretch of each row that is not zero is made and kept.
#include "kani/audio/sinc_resampler.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr double kCrossings = 6;
constexpr double kRollOff = 0.99;

}  // namespace

SincResampler::SincResampler(int from_hz, int to_hz) {
  for (const int rate : {from_hz, to_hz})
    require(rate >= 1000 && rate <= 384000, "sample rate is ", rate, " Hz, must be 1000 to 384000");
  const int common = std::gcd(from_hz, to_hz);
  from_ = from_hz / common;
  to_ = to_hz / common;
  if (from_ == to_) return;
  const auto a = static_cast<double>(from_);
  const double base = kRollOff * static_cast<double>(std::min(from_, to_));
  const auto width = static_cast<int64_t>(std::ceil(kCrossings * a / base));
  const double reach = kCrossings * a / base;  // in input samples, to both sides
  for (int64_t j = 0; j < to_; ++j) {
    // torchaudio computes the phase in float32.
    const auto phase = static_cast<double>(static_cast<float>(-j) / static_cast<float>(to_));
    const auto begin = static_cast<int64_t>(std::floor(-phase * a - reach)) - 1;
    const auto end = static_cast<int64_t>(std::ceil(-phase * a + reach)) + 2;
    Phase row;
    for (int64_t i = std::max(begin, -width); i < std::min(end, width + from_); ++i) {
      const double t =
          std::clamp((phase + static_cast<double>(i) / a) * base, -kCrossings, kCrossings);
      const double window = std::cos(t * std::numbers::pi / kCrossings / 2);
      const double angle = t * std::numbers::pi;
      const double sinc = t == 0 ? 1.0 : std::sin(angle) / angle;
      const auto tap = static_cast<float>(sinc * (window * window) * (base / a));
      if (row.taps.empty() && tap == 0) continue;
      if (row.taps.empty()) row.first = i;
      row.taps.push_back(tap);
    }
    while (!row.taps.empty() && row.taps.back() == 0) row.taps.pop_back();
    phases_.push_back(std::move(row));
  }
}

size_t SincResampler::output_size(size_t count) const {
  if (from_ == to_) return count;
  const double exact = static_cast<double>(to_) * static_cast<double>(count);
  return static_cast<size_t>(std::ceil(static_cast<float>(exact / static_cast<double>(from_))));
}

size_t SincResampler::input_needed(size_t count) const {
  if (from_ == to_ || count == 0) return count;
  const auto last = static_cast<int64_t>(count - 1);
  int64_t needed = 0;
  for (int64_t n = std::max<int64_t>(0, last - to_); n <= last; ++n) {
    const Phase& phase = phases_[static_cast<size_t>(n % to_)];
    const int64_t end = n / to_ * from_ + phase.first + static_cast<int64_t>(phase.taps.size());
    needed = std::max(needed, end);
  }
  return static_cast<size_t>(needed);
}

std::vector<float> SincResampler::resample(std::span<const float> samples) const {
  if (from_ == to_) return {samples.begin(), samples.end()};
  std::vector<float> out(output_size(samples.size()));
  const auto count = static_cast<int64_t>(samples.size());
  for (size_t n = 0; n < out.size(); ++n) {
    const auto index = static_cast<int64_t>(n);
    const Phase& phase = phases_[static_cast<size_t>(index % to_)];
    const int64_t first = index / to_ * from_ + phase.first;
    const auto taps = static_cast<int64_t>(phase.taps.size());
    const int64_t begin = std::max<int64_t>(0, -first), end = std::min(taps, count - first);
    double total = 0;
    for (int64_t i = begin; i < end; ++i) {
      total += static_cast<double>(phase.taps[static_cast<size_t>(i)]) *
               static_cast<double>(samples[static_cast<size_t>(first + i)]);
    }
    out[n] = static_cast<float>(total);
  }
  return out;
}

}  // namespace kani
