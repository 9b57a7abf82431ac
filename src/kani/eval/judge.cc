// judge.cc - one recording and all that is measured of it alone, see evaluation.h.
#include "kani/eval/evaluation.h"
#include "kani/eval/spoken_words.h"

namespace kani {

Judgement judge_recording(const EvalSentence& sentence, const RecordingFacts& facts) {
  Judgement out;
  out.sound = measure_sound(facts.mono, facts.rate_hz, facts.frames);
  out.expected_s = facts.expected_s;
  out.faults = sound_faults(out.sound, facts.expected_s);
  const std::vector<std::string> spoken = spoken_words(sentence.text, sentence.language);
  // A text that says something twice sounds like a loop.
  if (repeated_words({}, spoken) > 1) std::erase(out.faults, Fault::kLoopingSound);
  if (!facts.heard) {
    if (facts.listened) out.faults.push_back(Fault::kUnheard);
    return out;
  }
  out.heard = facts.heard;
  const std::vector<std::string> heard = spoken_words(*facts.heard, sentence.language);
  out.words = word_errors(spoken, heard);
  out.characters = character_errors(spoken_characters(spoken), spoken_characters(heard));
  out.repeated_words = repeated_words(spoken, heard);
  if (out.repeated_words > kMostRepeatedWords) out.faults.push_back(Fault::kLoopingWords);
  return out;
}

}  // namespace kani
