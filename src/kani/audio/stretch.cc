// stretch.cc - waveform-similarity overlap-add.
//
// Legend: S hop = half a window, p position in the input.  Step k writes output [kS, kS + S).  It
// fades from what followed the last piece of input, [c, c + S), over to a piece that begins near
// p = k S speed; of the 2 * search + 1 candidates it takes the one that looks most like [c, c + S),
// so that the two add up in phase.  The next c is the end of the chosen piece.
#include "kani/audio/stretch.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr double kHopSeconds = 0.0136;     // window 27.2 ms: two periods of the lowest voices
constexpr double kSearchSeconds = 0.0100;  // one period of a voice of 100 Hz to either side

}  // namespace

TimeStretcher::TimeStretcher(double speed, int rate_hz) : speed_(speed) {
  require(speed >= 0.25 && speed <= 4, "speed is ", speed, ", must be 0.25 to 4");
  require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
          " Hz, must be 8000 to 192000");
  hop_ = static_cast<size_t>(std::lround(kHopSeconds * rate_hz));
  search_ = static_cast<size_t>(std::lround(kSearchSeconds * rate_hz));
  fade_in_.resize(hop_);
  for (size_t i = 0; i < hop_; ++i) {  // the rising half of a Hann window
    const double phase = (static_cast<double>(i) + 0.5) / static_cast<double>(hop_);
    fade_in_[i] = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * phase));
  }
}

uint64_t TimeStretcher::ideal(uint64_t step) const {
  return static_cast<uint64_t>(std::llround(static_cast<double>(step * hop_) * speed_));
}

void TimeStretcher::push(std::span<const float> samples, std::vector<float>& out) {
  if (speed_ == 1) {
    out.insert(out.end(), samples.begin(), samples.end());
    return;
  }
  pending_.insert(pending_.end(), samples.begin(), samples.end());
  // A step is made when every candidate, and what follows it, is there.
  while (ideal(step_) + search_ + 2 * hop_ <= samples_in()) {
    const uint64_t middle = ideal(step_);
    make_step(middle - std::min<uint64_t>(middle, search_), middle + search_);
  }
  drop_unneeded();
  emit(static_cast<uint64_t>(std::floor(static_cast<double>(samples_in()) / speed_)), out);
}

void TimeStretcher::finish(std::vector<float>& out) {
  if (speed_ == 1) return;
  const uint64_t in = samples_in();
  const auto target = static_cast<uint64_t>(std::llround(static_cast<double>(in) / speed_));
  if (in < 2 * hop_) {
    // Less than a window (27 ms) has nothing to repeat or leave out: it is cut, or silence follows.
    ready_ = pending_;
    ready_.resize(target);
  }
  // The last steps stay in front of the end: a piece and what follows it are real sound.
  while (step_ * hop_ < target && in >= 2 * hop_) {
    const uint64_t last = std::min(ideal(step_) + search_, in - 2 * hop_);
    const uint64_t middle = std::min(ideal(step_), last);
    make_step(middle - std::min<uint64_t>(middle, search_), last);
  }
  emit(target, out);
  restart();
}

// Writes output [step_ * S, step_ * S + S) from a piece that begins in [first, last].
void TimeStretcher::make_step(uint64_t first, uint64_t last) {
  const uint64_t piece = step_ == 0 ? 0 : most_similar(first, last);
  const float* from = at(step_ == 0 ? 0 : continuation_);
  const float* to = at(piece);
  for (size_t i = 0; i < hop_; ++i) ready_.push_back(from[i] + fade_in_[i] * (to[i] - from[i]));
  continuation_ = piece + hop_;
  ++step_;
}

// The candidate with the largest normalized cross-correlation with what would follow naturally; of
// equal ones the first.  In silence, where nothing correlates, the one in the middle.
uint64_t TimeStretcher::most_similar(uint64_t first, uint64_t last) const {
  const float* natural = at(continuation_);
  double energy = 0;  // of the candidate, kept up to date while it moves
  for (size_t i = 0; i < hop_; ++i) {
    const auto sample = static_cast<double>(at(first)[i]);
    energy += sample * sample;
  }
  uint64_t best = first + (last - first) / 2;
  double best_score = 0;
  for (uint64_t candidate = first; candidate <= last; ++candidate) {
    const float* piece = at(candidate);
    double dot = 0;
    for (size_t i = 0; i < hop_; ++i) {
      dot += static_cast<double>(natural[i]) * static_cast<double>(piece[i]);
    }
    const double score = dot / std::sqrt(energy + 1e-9);
    if (score > best_score) {
      best_score = score;
      best = candidate;
    }
    const auto leaving = static_cast<double>(piece[0]);
    const auto entering = static_cast<double>(piece[hop_]);
    energy = std::max(0.0, energy + entering * entering - leaving * leaving);
  }
  return best;
}

// Hands on output up to sample `until`, so that it never runs ahead of input / speed.
void TimeStretcher::emit(uint64_t until, std::vector<float>& out) {
  if (until <= emitted_) return;
  const size_t count = std::min<size_t>(ready_.size(), until - emitted_);
  const auto end = ready_.begin() + static_cast<ptrdiff_t>(count);
  out.insert(out.end(), ready_.begin(), end);
  ready_.erase(ready_.begin(), end);
  emitted_ += count;
}

// Keeps what a step may still look at: the natural continuation and the first candidate, which at
// the end of the sound may lie a window and twice the search width in front of it.
void TimeStretcher::drop_unneeded() {
  const uint64_t end = samples_in();
  const uint64_t last_steps = 2 * hop_ + 2 * search_;
  const uint64_t keep = std::min({step_ == 0 ? 0 : continuation_,
                                  ideal(step_) - std::min<uint64_t>(ideal(step_), search_),
                                  end - std::min(end, last_steps)});
  if (keep <= dropped_) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(keep - dropped_));
  dropped_ = keep;
}

void TimeStretcher::restart() {
  pending_.clear();
  ready_.clear();
  dropped_ = step_ = continuation_ = emitted_ = 0;
}

}  // namespace kani
