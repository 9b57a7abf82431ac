// recording_quality.cc - see recording_quality.h.
#include "kani/audio/recording_quality.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kani/audio/level.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr double kSilenceDb = -100;
constexpr double kFrameSeconds = 0.02;

// Clipping.  A tone at full scale is not flat: its samples differ by more than the last bit of
// 16-bit sound (2^-15) within four.  Decoders of lossy formats overshoot where the original
// clipped.
constexpr float kFullScale = 0.99F;
constexpr float kFlat = 1.0F / 32768;
constexpr size_t kFlatRun = 4;

// Speech.
constexpr double kBelowLoudDb = 30;
constexpr double kLowestDb = -60;
constexpr double kVoicedCorrelation = 0.6;
constexpr double kLowestPitchHz = 60;
constexpr double kHighestPitchHz = 400;
constexpr double kPitchRateHz = 4000;  // enough for 400 Hz and its overtones
constexpr size_t kReachFrames = 5;     // 100 ms
constexpr double kSteadyDb = 10;
constexpr double kSteadyQuiet = 0.05;
constexpr double kSteadyVoiced = 0.9;

// Warnings.
constexpr double kMuchClipping = 1e-4;
constexpr double kCloseNoiseDb = 15;
constexpr double kLittleSpeech = 0.25;

float sane(float sample) { return std::isfinite(sample) ? sample : 0; }

double decibel(double amplitude) {
  return amplitude <= 1e-5 ? kSilenceDb : 20 * std::log10(amplitude);
}

std::vector<double> frame_levels(std::span<const float> mono, size_t frame) {
  std::vector<double> levels;
  levels.reserve(mono.size() / frame);
  for (size_t at = 0; at + frame <= mono.size(); at += frame)
    levels.push_back(decibel(static_cast<double>(rms(mono.subspan(at, frame)))));
  return levels;
}

double percentile(std::vector<double> values, double share) {
  const auto rank =
      static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<size_t>(rank)];
}

/// Means of neighbouring samples, as many as bring the rate near 4 kHz.
struct Thinned {
  std::vector<float> samples;
  double rate_hz = 0;
};

Thinned thinned(std::span<const float> mono, int rate_hz) {
  const auto step = static_cast<size_t>(std::max(1L, std::lround(rate_hz / kPitchRateHz)));
  Thinned out;
  out.rate_hz = static_cast<double>(rate_hz) / static_cast<double>(step);
  out.samples.reserve(mono.size() / step);
  for (size_t at = 0; at + step <= mono.size(); at += step) {
    float sum = 0;
    for (size_t i = 0; i < step; ++i) sum += sane(mono[at + i]);
    out.samples.push_back(sum / static_cast<float>(step));
  }
  return out;
}

/// Largest correlation of 40 ms from `at` on with a later stretch, over all periods of a voice.
double periodicity(const Thinned& sound, size_t at) {
  const auto window = static_cast<size_t>(2 * kFrameSeconds * sound.rate_hz);
  const auto shortest = static_cast<size_t>(sound.rate_hz / kHighestPitchHz);
  const auto longest = static_cast<size_t>(sound.rate_hz / kLowestPitchHz);
  const float* x = sound.samples.data() + at;
  const size_t there = sound.samples.size() - at;
  double best = 0, own = 0;
  for (size_t i = 0; i < std::min(window, there); ++i) own += double{x[i]} * double{x[i]};
  for (size_t lag = shortest; lag <= longest && lag + window <= there; ++lag) {
    double product = 0, other = 0;
    for (size_t i = 0; i < window; ++i) {
      product += double{x[i]} * double{x[i + lag]};
      other += double{x[i + lag]} * double{x[i + lag]};
    }
    if (own > 0 && other > 0) best = std::max(best, product / std::sqrt(own * other));
  }
  return best;
}

struct Shares {
  double voiced = 0;
  double speech = 0;
};

Shares shares_of(const std::vector<double>& levels, const Thinned& sound, double threshold_db) {
  std::vector<bool> voiced(levels.size());
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto at = static_cast<size_t>(static_cast<double>(i) * kFrameSeconds * sound.rate_hz);
    voiced[i] = levels[i] >= threshold_db && at < sound.samples.size() &&
                periodicity(sound, at) > kVoicedCorrelation;
  }
  size_t speech = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto first = voiced.begin() + static_cast<std::ptrdiff_t>(i - std::min(i, kReachFrames));
    const auto last =
        voiced.begin() + static_cast<std::ptrdiff_t>(std::min(i + kReachFrames + 1, voiced.size()));
    if (levels[i] >= threshold_db && std::find(first, last, true) != last) ++speech;
  }
  const auto all = static_cast<double>(levels.size());
  return {static_cast<double>(std::count(voiced.begin(), voiced.end(), true)) / all,
          static_cast<double>(speech) / all};
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

}  // namespace

void ClippingMeter::push(float sample) {
  sample = sane(sample);
  if (run_ > 0 && std::abs(sample - first_) > kFlat) {
    clipped_ += is_clipped() ? run_ : 0;
    run_ = 0;
  }
  if (run_++ == 0) first_ = sample;
  ++samples_;
}

bool ClippingMeter::is_clipped() const {
  return (run_ >= kFlatRun && std::abs(first_) >= kFullScale) || std::abs(first_) > 1;
}

double ClippingMeter::share() const {
  if (samples_ == 0) return 0;
  return static_cast<double>(clipped_ + (is_clipped() ? run_ : 0)) / static_cast<double>(samples_);
}

RecordingQuality measure_recording(std::span<const float> mono, int rate_hz) {
  require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
          " Hz, must be 8000 to 192000");
  RecordingQuality quality;
  quality.seconds = static_cast<double>(mono.size()) / rate_hz;
  quality.peak_db = quality.noise_floor_db = quality.speech_level_db = kSilenceDb;
  if (mono.empty()) return quality;
  quality.peak_db = decibel(double{peak(mono)});
  ClippingMeter clipping;
  for (const float sample : mono) clipping.push(sample);
  quality.clipped_share = clipping.share();
  const std::vector<double> levels =
      frame_levels(mono, static_cast<size_t>(std::lround(kFrameSeconds * rate_hz)));
  if (levels.empty()) return quality;
  quality.noise_floor_db = percentile(levels, 0.05);
  quality.speech_level_db = percentile(levels, 0.95);
  const auto quiet = std::count_if(levels.begin(), levels.end(), [&](double level) {
    return level < quality.speech_level_db - kSteadyDb;
  });
  const Shares shares = shares_of(levels, thinned(mono, rate_hz),
                                  std::max(kLowestDb, quality.speech_level_db - kBelowLoudDb));
  quality.steady = static_cast<double>(quiet) < kSteadyQuiet * static_cast<double>(levels.size()) &&
                   shares.voiced > kSteadyVoiced;
  quality.speech_share = quality.steady ? 0 : shares.speech;
  return quality;
}

std::vector<std::string> recording_warnings(const RecordingQuality& quality) {
  std::vector<std::string> warnings;
  if (quality.clipped_share > kMuchClipping) {
    char percent[32];
    std::snprintf(percent, sizeof percent, "%.2g", 100 * quality.clipped_share);
    warnings.push_back(
        concat("it clips: ", percent, " % of the samples are cut off at full scale"));
  }
  if (quality.steady) {
    warnings.push_back("no pauses and no syllables in it: a tone, a hum or music, not speech");
  } else if (quality.speech_share < kLittleSpeech) {
    warnings.push_back(concat("hardly any speech in it, ", rounded(100 * quality.speech_share),
                              " %; the voice is made of all of it, silence and music included"));
  }
  if (!quality.steady && quality.speech_share > 0 && quality.noise_distance_db() < kCloseNoiseDb) {
    warnings.push_back(concat("noisy: the background is only ",
                              rounded(quality.noise_distance_db()),
                              " dB below the voice, 30 and more are good"));
  }
  return warnings;
}

}  // namespace kani
