// speaker_voices.cc - see speaker_voices.h.
#include "kani/dataset/speaker_voices.h"

#include <cmath>

namespace kani {
namespace {

/// The sum of many vectors as one of length 1; nothing if they cancel out.
std::vector<float> direction(const std::vector<double>& sum) {
  double squares = 0;
  for (const double value : sum) squares += value * value;
  std::vector<float> out;
  if (squares <= 1e-12) return out;
  const double length = std::sqrt(squares);
  for (const double value : sum) out.push_back(static_cast<float>(value / length));
  return out;
}

}  // namespace

SpeakerVoices::SpeakerVoices(SpeakerVector which, const std::vector<RecordFacts>& facts,
                             const std::vector<Split>& splits, const VoiceOf& voice_of)
    : which_(which) {
  if (which == SpeakerVector::kSelf) return;
  std::map<Key, const RecordFacts*> last;
  std::map<Key, std::vector<double>> sums;
  for (const Split split : kSplits) {
    for (size_t i = 0; i < facts.size(); ++i) {
      const RecordFacts& one = facts[i];
      if (splits[i] != split || one.reject || one.speaker.empty()) continue;
      const Key key{split, one.source, one.speaker};
      if (which == SpeakerVector::kOther) {
        last[key] = &one;
        continue;
      }
      const std::vector<float> voice = voice_of(one);
      std::vector<double>& sum = sums[key];
      sum.resize(voice.size());
      for (size_t k = 0; k < voice.size(); ++k) sum[k] += double{voice[k]};
    }
  }
  for (const auto& [key, one] : last) voices_[key] = voice_of(*one);
  for (const auto& [key, sum] : sums) voices_[key] = direction(sum);
}

std::vector<float> SpeakerVoices::take(const RecordFacts& facts, Split split,
                                       std::vector<float> own) {
  if (which_ == SpeakerVector::kSelf || facts.speaker.empty() || own.empty()) return own;
  std::vector<float>& voice = voices_[{split, facts.source, facts.speaker}];
  if (voice.empty()) return own;
  if (which_ == SpeakerVector::kOther) std::swap(voice, own);
  return which_ == SpeakerVector::kOther ? own : voice;
}

}  // namespace kani
