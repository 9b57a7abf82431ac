// Recordings stretched onto each other.
#include "kani/eval/time_warp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/eval/phone_agreement.h"
#include "kani/eval/test_voices.h"

namespace kani {
namespace {

WarpFrames warp_of(const std::vector<float>& sound) {
  return warp_frames(mel_cepstrum(sound, kTestRateHz));
}

TEST(TimeWarp, the_same_is_at_no_distance) {
  const WarpFrames a = warp_of(babble("aiueai"));
  EXPECT_DOUBLE_EQ(warp_distance(a, a), 0);
}

TEST(TimeWarp, silence_around_speech_is_cut_off) {
  std::vector<float> padded;
  add_silence(padded, 0.8);
  const std::vector<float> sound = babble("aiueai");
  padded.insert(padded.end(), sound.begin(), sound.end());
  add_silence(padded, 0.4);
  // Edges of frames fall differently; another sentence is far away.
  EXPECT_LT(6 * warp_distance(warp_of(padded), warp_of(sound)),
            warp_distance(warp_of(padded), warp_of(babble("uaieui"))));
}

TEST(TimeWarp, order_counts_and_pace_and_pitch_hardly) {
  const WarpFrames a = warp_of(babble("aiueai"));
  const double slower = warp_distance(a, warp_of(babble("aiueai", 100, 1, 0.21)));
  const double other = warp_distance(a, warp_of(babble("uaieui")));
  EXPECT_LT(3 * slower, other);
  EXPECT_NEAR(warp_distance(a, warp_of(babble("uaieui"))),
              warp_distance(warp_of(babble("uaieui")), a), 1e-5);
}

TEST(TimeWarp, very_different_lengths_have_a_distance_too) {
  const WarpFrames a = warp_of(babble("ai")), b = warp_of(babble("aiueaiueaiue"));
  EXPECT_TRUE(std::isfinite(warp_distance(a, b)));
  EXPECT_TRUE(std::isinf(warp_distance(a, {})));
}

TEST(PhoneAgreement, an_utterance_is_nearest_to_its_own_sentence) {
  const char* sentences[] = {"aiueai", "uaieui", "eaaiuu", "iieuaa"};
  Evaluation evaluation;
  std::vector<WarpPair> pairs;
  for (const char* sentence : sentences) {
    JudgedSentence one;
    one.sentence.text = sentence;
    one.model.emplace();
    evaluation.sentences.push_back(one);
    pairs.push_back({warp_of(babble(sentence, 140, 1.05, 0.17)), warp_of(babble(sentence))});
  }
  // The last one is spoken wrongly: the first sentence's sounds.
  pairs[3].model = pairs[0].model;
  measure_phone_agreement(evaluation, pairs);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(evaluation.sentences[i].model->own_nearest.value()) << i;
    EXPECT_LT(evaluation.sentences[i].model->own_distance_ratio.value(), 0.7) << i;
  }
  EXPECT_FALSE(evaluation.sentences[3].model->own_nearest.value());
  EXPECT_GT(evaluation.sentences[3].model->own_distance_ratio.value(), 0.9);
}

TEST(PhoneAgreement, silence_is_near_to_nothing_and_one_sentence_cannot_be_tried) {
  Evaluation evaluation;
  evaluation.sentences.resize(2);
  std::vector<WarpPair> pairs(2);
  for (size_t i = 0; i < 2; ++i) {
    evaluation.sentences[i].sentence.text = i == 0 ? "a" : "b";
    evaluation.sentences[i].model.emplace();
  }
  pairs[0].teacher = warp_of(babble("aiueai"));
  measure_phone_agreement(evaluation, pairs);
  EXPECT_FALSE(evaluation.sentences[0].model->own_nearest.has_value());
  pairs[1].teacher = warp_of(babble("uaieui"));
  measure_phone_agreement(evaluation, pairs);
  EXPECT_FALSE(evaluation.sentences[0].model->own_nearest.value());
  EXPECT_FALSE(evaluation.sentences[0].model->own_distance_ratio.has_value());
}

}  // namespace
}  // namespace kani
