// Voices without a model.
#include "kani/eval/voice_distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/eval/test_voices.h"

namespace kani {
namespace {

VoiceSpread spread_of(const std::vector<float>& sound) {
  return voice_spread(mel_cepstrum(sound, kTestRateHz)).value();
}

TEST(VoiceDistance, is_the_divergence_of_two_gaussians) {
  VoiceSpread a, b;
  a.variance.fill(1);
  b.variance.fill(4);
  b.mean.fill(2);
  // (1/4 + 4 - 2 + 4 (1 + 1/4)) / 4
  EXPECT_DOUBLE_EQ(voice_distance(a, b), 7.25 / 4);
  EXPECT_DOUBLE_EQ(voice_distance(b, a), 7.25 / 4);
  EXPECT_DOUBLE_EQ(voice_distance(a, a), 0);
}

TEST(VoiceDistance, one_voice_with_other_words_is_nearer_than_another_voice) {
  const VoiceSpread low = spread_of(babble("aiueaiueeuia", 110, 1.0));
  const VoiceSpread low_again = spread_of(babble("euaiiaueaeui", 115, 1.0));
  const VoiceSpread high = spread_of(babble("aiueaiueeuia", 210, 1.2));
  EXPECT_LT(voice_distance(low, low_again), 0.1);
  EXPECT_GT(voice_distance(low, high), 4 * voice_distance(low, low_again));
}

TEST(VoiceDistance, pauses_do_not_count) {
  std::vector<float> paused = babble("aiue");
  add_silence(paused, 2);
  const std::vector<float> rest = babble("euia");
  paused.insert(paused.end(), rest.begin(), rest.end());
  EXPECT_LT(voice_distance(spread_of(paused), spread_of(babble("aiueeuia"))), 0.05);
}

TEST(VoiceDistance, too_little_speech_is_no_voice) {
  EXPECT_FALSE(voice_spread(mel_cepstrum(std::vector<float>(32000), kTestRateHz)));
  EXPECT_FALSE(voice_spread(mel_cepstrum(babble("a"), kTestRateHz)));
}

}  // namespace
}  // namespace kani
