// loudness.cc - see loudness.h.  The standard gives its filters for 48 kHz alone; the analogue
// prototypes behind them (as libebur128 derived them) give the same numbers there and the filters
// of every other rate.
#include "kani/dataset/loudness.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kani/audio/level.h"
#include "kani/audio/resampler.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr double kOffset = -0.691;  // LUFS of mean square 1
constexpr double kRelativeGate = -10;
constexpr size_t kStepsOfBlock = 4;  // 100 ms each
constexpr double kLowestDb = -200;

double lufs_of(double mean_square) {
  return mean_square > 0 ? kOffset + 10 * std::log10(mean_square) : kLowestDb;
}

class Filter {
 public:
  explicit Filter(const Biquad& c) : c_(c) {}
  double operator()(double x) {
    const double y = c_.b0 * x + s1_;
    s1_ = c_.b1 * x - c_.a1 * y + s2_;
    s2_ = c_.b2 * x - c_.a2 * y;
    return y;
  }

 private:
  Biquad c_;
  double s1_ = 0, s2_ = 0;
};

/// Adds the energy of each step of `step` samples of the weighted channel.
void add_energies(std::span<const float> channel, int rate_hz, size_t step,
                  std::vector<double>& energies) {
  Filter shelf(k_weighting_shelf(rate_hz)), high_pass(k_weighting_high_pass(rate_hz));
  energies.resize((channel.size() + step - 1) / step);
  for (size_t i = 0; i < channel.size(); ++i) {
    const double y = high_pass(shelf(double{channel[i]}));
    energies[i / step] += y * y;
  }
}

double mean_above(std::span<const double> blocks, double gate_lufs) {
  double sum = 0;
  size_t count = 0;
  for (const double block : blocks) {
    if (lufs_of(block) <= gate_lufs) continue;
    sum += block;
    ++count;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

Biquad k_weighting_shelf(int rate_hz) {
  constexpr double kHz = 1681.974450955533, kQ = 0.7071752369554196, kGainDb = 3.999843853973347;
  const double k = std::tan(std::numbers::pi * kHz / rate_hz);
  const double high = std::pow(10, kGainDb / 20), band = std::pow(high, 0.4996667741545416);
  const double a0 = 1 + k / kQ + k * k;
  return {(high + band * k / kQ + k * k) / a0, 2 * (k * k - high) / a0,
          (high - band * k / kQ + k * k) / a0, 2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0};
}

Biquad k_weighting_high_pass(int rate_hz) {
  constexpr double kHz = 38.13547087602444, kQ = 0.5003270373238773;
  const double k = std::tan(std::numbers::pi * kHz / rate_hz);
  const double a0 = 1 + k / kQ + k * k;
  return {1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0};
}

double integrated_loudness(std::span<const std::span<const float>> channels, int rate_hz) {
  require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
          " Hz, must be 8000 to 192000");
  const auto step = static_cast<size_t>(std::lround(rate_hz / 10.0));
  std::vector<double> energies;
  size_t length = 0;
  for (const std::span<const float> channel : channels) {
    require(length == 0 || channel.size() == length, "channels of different lengths");
    length = channel.size();
    add_energies(channel, rate_hz, step, energies);
  }
  if (length == 0) return kLoudnessGateLufs;
  std::vector<double> blocks;
  for (size_t first = 0; (first + kStepsOfBlock) * step <= length; ++first) {
    double sum = 0;
    for (size_t i = 0; i < kStepsOfBlock; ++i) sum += energies[first + i];
    blocks.push_back(sum / static_cast<double>(kStepsOfBlock * step));
  }
  if (blocks.empty()) {
    double sum = 0;
    for (const double energy : energies) sum += energy;
    blocks.push_back(sum / static_cast<double>(length));
  }
  const double heard = mean_above(blocks, kLoudnessGateLufs);
  if (heard <= 0) return kLoudnessGateLufs;
  const double gate = std::max(kLoudnessGateLufs, lufs_of(heard) + kRelativeGate);
  return std::max(kLoudnessGateLufs, lufs_of(mean_above(blocks, gate)));
}

double integrated_loudness(std::span<const float> mono, int rate_hz) {
  return integrated_loudness(std::span<const std::span<const float>>(&mono, 1), rate_hz);
}

double true_peak_db(std::span<const float> mono, int rate_hz) {
  const int times = std::clamp(384000 / rate_hz, 1, 4);
  const std::vector<float> fine = resample(mono, rate_hz, rate_hz * times, ResamplerQuality::kHigh);
  const double highest = std::max(double{peak(mono)}, double{peak(fine)});
  return highest > 0 ? std::max(kLowestDb, 20 * std::log10(highest)) : kLowestDb;
}

double loudness_gain_db(double loudness_lufs, double true_peak_db, const LoudnessTarget& target) {
  if (loudness_lufs <= kLoudnessGateLufs) return 0;
  const double wanted =
      std::clamp(target.loudness_lufs - loudness_lufs, -target.most_gain_db, target.most_gain_db);
  return std::max(-target.most_gain_db, std::min(wanted, target.true_peak_db - true_peak_db));
}

}  // namespace kani
