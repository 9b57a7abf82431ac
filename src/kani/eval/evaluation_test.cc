// Groups, trials, the document.
#include "kani/eval/evaluation.h"

#include <gtest/gtest.h>

#include "kani/eval/test_voices.h"

namespace kani {
namespace {

JudgedSentence judged(const std::string& id, const std::string& set, const std::string& speaker,
                      size_t errors, size_t words) {
  JudgedSentence one;
  one.sentence.id = id;
  one.sentence.set = set;
  one.sentence.speaker = speaker;
  one.model.emplace();
  one.model->sound.seconds = 2;
  one.model->expected_s = 1;
  one.model->heard = "";
  one.model->words.length = words;
  one.model->words.substitutions = errors;
  one.model->characters.length = 1;
  return one;
}

const Json& group(const Json& groups, const std::string& by, const std::string& name) {
  for (const Json& one : groups) {
    if (one["by"] == by && one["name"] == name) return one;
  }
  ADD_FAILURE() << by << " " << name;
  return groups[0];
}

TEST(JudgeRecording, counts_words_and_finds_faults) {
  EvalSentence sentence;
  sentence.text = "The door is open.";
  const std::vector<float> sound = babble("aiu-eua-iea-uie-");
  RecordingFacts facts;
  const auto frames = mel_cepstrum(sound, kTestRateHz);
  facts.mono = sound;
  facts.rate_hz = kTestRateHz;
  facts.frames = frames;
  facts.expected_s = 2;
  facts.heard = "the the the the door is";
  facts.listened = true;
  const Judgement j = judge_recording(sentence, facts);
  EXPECT_EQ(j.words.length, 4U);
  EXPECT_EQ(j.words.insertions, 3U);
  EXPECT_EQ(j.words.deletions, 1U);
  EXPECT_EQ(j.faults, std::vector<Fault>{Fault::kLoopingWords});
  facts.heard.reset();
  EXPECT_EQ(judge_recording(sentence, facts).faults, std::vector<Fault>{Fault::kUnheard});
  facts.listened = false;
  EXPECT_TRUE(judge_recording(sentence, facts).faults.empty());
}

TEST(JudgeRecording, a_text_that_repeats_itself_may_sound_so) {
  std::vector<float> sound = babble("aiuie");
  add_vowel(sound, 'u', 2.0);
  add_silence(sound, 0.1);
  const auto frames = mel_cepstrum(sound, kTestRateHz);
  EvalSentence sentence;
  sentence.text = "Row your boat.";
  RecordingFacts facts;
  facts.mono = sound;
  facts.rate_hz = kTestRateHz;
  facts.frames = frames;
  facts.expected_s = 3;
  EXPECT_EQ(judge_recording(sentence, facts).faults, std::vector<Fault>{Fault::kLoopingSound});
  sentence.text = "Row, row, row your boat.";
  EXPECT_TRUE(judge_recording(sentence, facts).faults.empty());
}

TEST(EvaluationGroups, a_rate_is_errors_over_words_of_all) {
  Evaluation evaluation;
  evaluation.sentences = {judged("a", "x", "s", 1, 2), judged("b", "x", "s", 0, 8),
                          judged("c", "y", "s", 5, 10)};
  evaluation.sentences[2].model->faults = {Fault::kCut, Fault::kSilent};
  const Json groups = evaluation_groups(evaluation);
  ASSERT_EQ(groups.size(), 4U);  // all, two sets, one speaker; no language is named
  const Json& all = groups[0]["model"];
  EXPECT_DOUBLE_EQ(all["wer"]["mean"], 6.0 / 20);
  EXPECT_EQ(all["wer"]["substitutions"], 6);
  EXPECT_DOUBLE_EQ(all["faulty"]["mean"], 1.0 / 3);
  EXPECT_DOUBLE_EQ(all["faults"]["cut"], 1.0 / 3);
  EXPECT_DOUBLE_EQ(all["length_ratio"]["mean"], 2);
  EXPECT_TRUE(all["voice_cosine"].is_null());
  EXPECT_TRUE(groups[0]["teacher"].is_null());
  EXPECT_DOUBLE_EQ(group(groups, "set", "x")["model"]["wer"]["mean"], 0.1);
}

TEST(EvaluationGroups, the_teacher_is_compared_on_the_sentences_that_both_have) {
  Evaluation evaluation;
  evaluation.sentences = {judged("a", "", "", 4, 10), judged("b", "", "", 9, 10)};
  JudgedSentence& first = evaluation.sentences[0];
  first.teacher = first.model;
  first.teacher->words.substitutions = 1;
  first.teacher->sound.seconds = 1;
  const Json all = evaluation_groups(evaluation)[0];
  EXPECT_NEAR(all["over_teacher"]["wer_difference"]["mean"].get<double>(), 0.3, 1e-12);
  EXPECT_DOUBLE_EQ(all["over_teacher"]["wer_ratio"], 4);
  EXPECT_DOUBLE_EQ(all["over_teacher"]["seconds_ratio"]["mean"], 2);
  EXPECT_TRUE(all["over_teacher"]["cer_ratio"].is_null());  // he made no errors
}

TEST(EvaluationGroups, what_was_not_judged_or_not_heard_does_not_count) {
  Evaluation evaluation;
  evaluation.sentences = {judged("a", "", "", 1, 4), judged("b", "", "", 4, 4), {}};
  evaluation.sentences[1].model->heard.reset();
  const Json all = evaluation_groups(evaluation)[0];
  EXPECT_EQ(all["sentences"], 3);
  EXPECT_EQ(all["model"]["utterances"], 2);
  EXPECT_EQ(all["model"]["wer"]["n"], 1);
  EXPECT_DOUBLE_EQ(all["model"]["wer"]["mean"], 0.25);
  EXPECT_TRUE(evaluation_groups(Evaluation{})[0]["model"].is_null());
}

TEST(SpeakerTrials, count_who_is_nearest_to_whom) {
  Evaluation evaluation;
  evaluation.sentences = {judged("a", "x", "ann", 0, 1), judged("b", "x", "ann", 0, 1),
                          judged("c", "x", "bob", 0, 1), judged("d", "y", "eve", 0, 1)};
  const char* nearest[] = {"ann", "bob", "bob", "eve"};
  for (size_t i = 0; i < 4; ++i) evaluation.sentences[i].model->nearest_by_cepstrum = nearest[i];
  const Json trials = speaker_trials(evaluation);
  ASSERT_EQ(trials.size(), 1U);  // in set y there is only one speaker
  EXPECT_EQ(trials[0]["set"], "x");
  EXPECT_TRUE(trials[0]["model_by_encoder"].is_null());
  const Json& trial = trials[0]["model_by_cepstrum"];
  EXPECT_DOUBLE_EQ(trial["own"], 2.0 / 3);
  EXPECT_EQ(trial["confusion"]["ann"]["bob"], 1);
  EXPECT_EQ(trial["confusion"]["bob"]["bob"], 1);
  // Silence is nobody's voice, which is a failure of the model, not a trial less.
  evaluation.sentences[0].model->nearest_by_cepstrum.reset();
  const Json silent = speaker_trials(evaluation)[0]["model_by_cepstrum"];
  EXPECT_DOUBLE_EQ(silent["own"], 1.0 / 3);
  EXPECT_EQ(silent["n"], 3);
  EXPECT_EQ(silent["confusion"]["ann"]["(nobody)"], 1);
}

}  // namespace
}  // namespace kani
