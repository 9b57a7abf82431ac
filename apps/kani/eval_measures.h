// eval_measures.h - every recording of an evaluation measured, one after the other; the voices of
// the speakers that they are compared with.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/kani/eval_hearing.h"
#include "apps/kani/eval_options.h"
#include "kani/eval/evaluation.h"
#include "kani/eval/phone_agreement.h"
#include "kani/eval/voice_distance.h"
#include "kani/voice.h"

namespace kani::cli {

/// A sentence and its sounds; empty paths = not there (yet).
struct EvalItem {
  EvalSentence sentence;
  std::filesystem::path sound, teacher;
  std::optional<SpeechTimes> times;
};

/// One thread at a time.
class EvalMeasures {
 public:
  EvalMeasures(const EvalOptions& options, const Hearing& hearing,
               const std::filesystem::path& out);

  /// From now on voices are compared by their cepstra alone.
  void without_encoder() { encoder_.reset(); }

  /// Adds all items to the evaluation.  What was not heard although somebody listens is left out
  /// while `complete` is false, and has the fault "unheard" otherwise.
  void judge(const std::vector<EvalItem>& items, Evaluation& evaluation);

 private:
  /// What a voice is compared by; each may be missing.
  struct VoiceMark {
    std::optional<std::vector<float>> vector;
    std::optional<VoiceSpread> spread;
  };
  struct Measured {
    Judgement judgement;
    VoiceMark mark;
    WarpFrames warp;
    double seconds = 0;
  };
  using Paths = std::vector<std::filesystem::path>;
  using Speakers = std::map<std::string, VoiceMark>;

  Measured measure(const EvalSentence& sentence, const std::filesystem::path& sound,
                   double expected_s);
  const VoiceMark& mark_of(const Paths& recordings);
  std::optional<std::vector<float>> vector_of(const Paths& recordings);
  Speakers speakers_of(const std::vector<EvalItem>& items, const std::string& set, bool references);
  void compare(const EvalItem& item, Measured& measured, bool is_teacher, const Speakers& speakers);

  const EvalOptions& options_;
  const Hearing& hearing_;
  std::filesystem::path out_;
  bool listened_ = false;  // to all that was submitted
  std::unique_ptr<VoiceEncoder> encoder_;
  std::map<std::string, VoiceMark> marks_;  // by paths
};

}  // namespace kani::cli
