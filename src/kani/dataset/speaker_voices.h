// speaker_voices.h - which voice vector a clip is trained with: its own, that of another clip of
// the speaker, or the mean over the speaker's clips.  Source: training.md 15.8.
// A voice taken from the clip itself may carry what is said in it; the others cannot.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "kani/dataset/split.h"

namespace kani {

enum class SpeakerVector { kMean, kSelf, kOther };

/// A clip's own voice, read from where it lies.
using VoiceOf = std::function<std::vector<float>(const RecordFacts&)>;

/// Clips of one split by one speaker of one source belong together; a clip whose speaker is not
/// known is alone.  One thread at a time.
class SpeakerVoices {
 public:
  /// Looks at all clips that are kept, split by split in their order.
  SpeakerVoices(SpeakerVector which, const std::vector<RecordFacts>& facts,
                const std::vector<Split>& splits, const VoiceOf& voice_of);

  /// To be called split by split in the same order.  kOther: the voice of the speaker's clip
  /// before, of the last one for the first.  kMean: of length 1.  `own` where there is no other.
  std::vector<float> take(const RecordFacts& facts, Split split, std::vector<float> own);

 private:
  using Key = std::tuple<Split, std::string, std::string>;
  SpeakerVector which_;
  std::map<Key, std::vector<float>> voices_;
};

}  // namespace kani
