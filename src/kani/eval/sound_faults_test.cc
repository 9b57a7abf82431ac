// Detectors: each finds its fault, and none finds any in a good utterance.
#include "kani/eval/sound_faults.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kani/base/random.h"
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

/// Syllables that die away as a voice does.
std::vector<float> utterance(std::string_view vowels, double seconds = 0.15) {
  std::vector<float> sound = babble(vowels, 120, 1, seconds);
  add_vowel(sound, 'e', 0.1, 120, 1, 0.04);
  add_silence(sound, 0.15);
  return sound;
}

/// Twelve vowels without repetition of any stretch, with silence around.
std::vector<float> good(double before = 0.1, double behind = 0.2) {
  std::vector<float> sound;
  add_silence(sound, before);
  const std::vector<float> speech = utterance("aiu-eua-iea-uie");
  sound.insert(sound.end(), speech.begin(), speech.end());
  add_silence(sound, behind - 0.15);
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
  sound.resize(sound.size() - static_cast<size_t>(0.38 * kTestRateHz));
  EXPECT_EQ(faults_of(sound), Faults{Fault::kCut});
}

TEST(SoundFaults, an_end_that_falls_to_nothing_at_once_is_cut) {
  std::vector<float> sound = good();
  sound.resize(sound.size() - static_cast<size_t>(0.38 * kTestRateHz));
  add_silence(sound, 0.5);
  EXPECT_TRUE(measures_of(sound).falls_at_once);
  EXPECT_EQ(faults_of(sound), Faults{Fault::kCut});
  EXPECT_FALSE(measures_of(good()).falls_at_once);
}

TEST(SoundFaults, what_has_no_pitch_is_noise) {
  Random random(3);
  std::vector<float> sound(2 * kTestRateHz);
  for (float& sample : sound) sample = 0.2F * static_cast<float>(random.next_uniform() - 0.5);
  add_silence(sound, 0.3);
  EXPECT_LT(measures_of(sound).voiced_share, 0.05);
  EXPECT_EQ(faults_of(sound).front(), Fault::kNoise);
  for (const double pitch_hz : {90.0, 120.0, 240.0, 350.0}) {
    std::vector<float> voice = babble("aiu-eua-iea-uie", pitch_hz);
    EXPECT_GT(measures_of(voice).voiced_share, 0.8) << pitch_hz;
  }
  EXPECT_EQ(voiced_share({}, 22050), 0);
  EXPECT_EQ(voiced_share(std::vector<float>(4000), 8000), 0);
}

TEST(SoundFaults, a_stutter_is_a_loop) {
  const std::vector<float> sound = utterance("aiaui--eiuieououououaieaieuiauaiu", 0.1);
  const Repeat found = longest_repeat(mel_cepstrum(sound, kTestRateHz));
  EXPECT_NEAR(found.lag_s, 0.2, 0.03);
  EXPECT_EQ(faults_of(sound), Faults{Fault::kLoopingSound});
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
  const std::vector<float> sound = utterance("aiaui--eiuieaieuiauaiu");
  EXPECT_EQ(faults_of(sound), Faults{});
  const Repeat none = longest_repeat(mel_cepstrum(sound, kTestRateHz));
  // "eiuie", 0.75 s, said again at once.
  const std::vector<float> twice = utterance("aiaui--eiuieeiuieaieuiauaiu");
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

TEST(AddFault, keeps_the_order_and_adds_none_twice) {
  Faults faults = {Fault::kSilent, Fault::kTooLong};
  add_fault(Fault::kCut, faults);
  add_fault(Fault::kCut, faults);
  EXPECT_EQ(faults, (Faults{Fault::kSilent, Fault::kCut, Fault::kTooLong}));
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
