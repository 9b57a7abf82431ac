// Detectors: each finds its fault, and none finds any in a good utterance.
#include "kani/eval/sound_faults.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kani/eval/test_voices.h"

namespace kani {
namespace {

using Words = std::vector<std::string>;

SoundMeasures measures_of(const std::vector<float>& sound) {
  return measure_sound(sound, kTestRateHz, mel_cepstrum(sound, kTestRateHz));
}

std::vector<Fault> faults_of(const std::vector<float>& sound, double expected_s = 0) {
  const SoundMeasures measures = measures_of(sound);
  return sound_faults(measures, expected_s > 0 ? expected_s : measures.seconds);
}

/// Twelve vowels without repetition of any stretch, with silence around.
std::vector<float> good(double before = 0.1, double behind = 0.2) {
  std::vector<float> sound;
  add_silence(sound, before);
  const std::vector<float> speech = babble("aiu-eua-iea-uie");
  sound.insert(sound.end(), speech.begin(), speech.end());
  add_silence(sound, behind);
  return sound;
}

using Faults = std::vector<Fault>;

TEST(SoundFaults, a_good_utterance_has_none) { EXPECT_EQ(faults_of(good()), Faults{}); }

TEST(SoundFaults, silence_is_measured_before_behind_and_between) {
  const SoundMeasures measures = measures_of(good(0.5, 0.7));
  EXPECT_NEAR(measures.leading_s, 0.5, 0.03);
  EXPECT_NEAR(measures.trailing_s, 0.7, 0.03);
  EXPECT_NEAR(measures.longest_pause_s, 0.15, 0.05);
  EXPECT_EQ(faults_of(good(1.2, 0.2)), Faults{Fault::kLeadingSilence});
  EXPECT_EQ(faults_of(good(0.1, 1.8)), Faults{Fault::kTrailingSilence});
  std::vector<float> paused = babble("aiu");
  add_silence(paused, 1.5);
  const std::vector<float> rest = good();
  paused.insert(paused.end(), rest.begin(), rest.end());
  EXPECT_EQ(faults_of(paused), Faults{Fault::kLongPause});
}

TEST(SoundFaults, nothing_but_silence_is_one_fault) {
  EXPECT_EQ(faults_of(std::vector<float>(32000)), Faults{Fault::kSilent});
  EXPECT_EQ(faults_of({}, 1), Faults{Fault::kSilent});
  EXPECT_EQ(faults_of(std::vector<float>(100), 1), Faults{Fault::kSilent});
}

TEST(SoundFaults, an_end_in_the_middle_of_a_vowel_is_cut) {
  std::vector<float> sound = good();
  sound.resize(sound.size() - static_cast<size_t>(0.28 * kTestRateHz));
  EXPECT_EQ(faults_of(sound), Faults{Fault::kCut});
}

TEST(SoundFaults, flat_tops_are_clipping) {
  std::vector<float> sound = good();
  for (float& sample : sound) sample = std::clamp(20 * sample, -1.0F, 1.0F);
  const Faults faults = faults_of(sound);
  EXPECT_NE(std::find(faults.begin(), faults.end(), Fault::kClipping), faults.end());
}

TEST(SoundFaults, length_is_held_against_what_is_expected) {
  const double seconds = measures_of(good()).seconds;
  EXPECT_EQ(faults_of(good(), seconds / 2.2), Faults{Fault::kTooLong});
  EXPECT_EQ(faults_of(good(), seconds * 3), Faults{Fault::kTooShort});
  EXPECT_EQ(faults_of(good(), seconds / 1.5), Faults{});
  EXPECT_EQ(faults_of(good(), seconds * 1.5), Faults{});
}

TEST(SoundFaults, words_said_twice_are_a_loop) {
  const std::vector<float> sound = babble("aiaui--eiuieaieuiauaiu-");
  EXPECT_EQ(faults_of(sound), Faults{});
  const Repeat none = longest_repeat(mel_cepstrum(sound, kTestRateHz));
  // "eiuie", 0.75 s, said again at once.
  const std::vector<float> twice = babble("aiaui--eiuieeiuieaieuiauaiu-");
  const Repeat found = longest_repeat(mel_cepstrum(twice, kTestRateHz));
  EXPECT_GT(found.seconds, none.seconds);
  EXPECT_NEAR(found.lag_s, 0.75, 0.03);
  EXPECT_NEAR(found.seconds, 0.75, 0.1);
  EXPECT_EQ(faults_of(twice), Faults{Fault::kLoopingSound});
}

TEST(SoundFaults, a_vowel_that_does_not_end_is_a_loop) {
  std::vector<float> sound = babble("aiuie");
  add_vowel(sound, 'u', 2.0);
  add_silence(sound, 0.1);
  EXPECT_EQ(faults_of(sound), Faults{Fault::kLoopingSound});
}

TEST(SoundFaults, pauses_are_no_loop) {
  std::vector<float> sound = babble("aiu");
  add_silence(sound, 1.1);
  const std::vector<float> rest = babble("eia");
  sound.insert(sound.end(), rest.begin(), rest.end());
  add_silence(sound, 1.4);
  EXPECT_LT(longest_repeat(mel_cepstrum(sound, kTestRateHz)).seconds, kLongestRepeat);
}

TEST(RepeatedWords, are_those_that_the_text_does_not_repeat) {
  EXPECT_EQ(repeated_words(Words{"a", "b", "c"}, Words{"a", "b", "c"}), 0U);
  EXPECT_EQ(repeated_words(Words{"the", "end"}, Words{"the", "the", "the", "end"}), 2U);
  EXPECT_EQ(repeated_words(Words{"again", "and", "again"},
                           Words{"again", "and", "again", "and", "again"}),
            2U);
  EXPECT_EQ(repeated_words(Words{"no", "no", "no"}, Words{"no", "no", "no"}), 0U);
  EXPECT_EQ(repeated_words(Words{"no", "no", "no"}, Words{"no"}), 0U);
  EXPECT_EQ(repeated_words(Words{}, Words{"a", "b", "c", "a", "b", "c", "a", "b", "c"}), 6U);
}

TEST(FaultNames, are_all_different) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < kFaultKinds; ++i) names.push_back(fault_name(static_cast<Fault>(i)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(fault_name(Fault::kUnheard), "unheard");
}

}  // namespace
}  // namespace kani
