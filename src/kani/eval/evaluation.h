// evaluation.h - what is known of each utterance after it was judged, and of all together.
// Here: the measures put together.  Not here: who speaks, who listens (apps/kani/eval*.cc), pages
// for people (evaluation_page.h).
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kani/base/json.h"
#include "kani/eval/mel_cepstrum.h"
#include "kani/eval/sentence_list.h"
#include "kani/eval/sound_faults.h"
#include "kani/eval/word_errors.h"

namespace kani {

/// What was measured while the model spoke.
struct SpeechTimes {
  double real_time_factor = 0;  // seconds of work for a second of sound
  double first_sound_s = 0;
  uint64_t seed = 0;
  bool truncated = false;  // at the token limit
};

/// One recording of a sentence.
struct Judgement {
  std::string file;  // as the report names it
  SoundMeasures sound;
  double expected_s = 0;
  std::optional<std::string> heard;  // absent: nobody listened, or the recognizer failed
  EditCounts words, characters;      // only if heard
  size_t repeated_words = 0;
  std::optional<double> voice_cosine;    // to the speaker's reference, by the model's encoder
  std::optional<double> voice_distance;  // likewise, voice_distance.h
  /// Of the speakers of its set the one whose reference is nearest, by both measures.
  std::optional<std::string> nearest_by_encoder, nearest_by_cepstrum;
  /// phone_agreement.h; of the teacher's own recordings nothing.
  std::optional<bool> own_nearest;
  std::optional<double> own_distance_ratio;
  std::optional<SpeechTimes> times;
  std::vector<Fault> faults;
};

struct JudgedSentence {
  EvalSentence sentence;
  std::optional<Judgement> model;  // absent: not spoken yet (an evaluation that was interrupted)
  std::optional<Judgement> teacher;
};

/// Sound and text: `heard` absent with `listened` is the fault kUnheard.
struct RecordingFacts {
  std::span<const float> mono;
  int rate_hz = 0;
  std::span<const CepstrumFrame> frames;
  double expected_s = 0;
  std::optional<std::string> heard;
  bool listened = false;
};
Judgement judge_recording(const EvalSentence& sentence, const RecordingFacts& facts);

/// A bound that was asked for.
struct EvalLimit {
  std::string name;  // "max_wer"
  double bound = 0;
  std::optional<double> value;  // absent: could not be measured, which counts as not held
  bool held = false;
};

struct Evaluation {
  Json settings;
  bool complete = true;
  size_t asked = 0;   // sentences
  uint64_t seed = 1;  // of the bootstrap
  std::vector<JudgedSentence> sentences;
};

/// The document eval.json (docs/evaluation.md), without limits.
Json evaluation_json(const Evaluation& evaluation);

/// {"all", sets, speakers, languages}; a part of the document.
Json evaluation_groups(const Evaluation& evaluation);

/// For each set in which two or more speakers are named: shares of utterances nearest to their own
/// speaker, confusion tables, by both measures, of model and teacher; a part of the document.
Json speaker_trials(const Evaluation& evaluation);

}  // namespace kani
