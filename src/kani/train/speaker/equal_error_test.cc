// Equal error rates that can be counted by hand.
#include "kani/train/speaker/equal_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kani::train {
namespace {

TEST(EqualError, is_zero_where_a_threshold_divides_all) {
  const SpeakerScores scores = equal_error({0.9F, 0.7F, 0.8F}, {0.1F, 0.6F});
  EXPECT_EQ(scores.equal_error, 0);
  EXPECT_FLOAT_EQ(static_cast<float>(scores.threshold), 0.7F);
  EXPECT_NEAR(scores.same_mean, 0.8, 1e-6);
  EXPECT_NEAR(scores.other_mean, 0.35, 1e-6);
}

TEST(EqualError, counts_both_kinds_of_error) {
  // At 0.5 one of four is missed and one of four is a false alarm.
  EXPECT_EQ(equal_error({0.9F, 0.8F, 0.7F, 0.2F}, {0.1F, 0.3F, 0.4F, 0.75F}).equal_error, 0.25);
  // The wrong way round.
  EXPECT_EQ(equal_error({0.1F, 0.2F}, {0.8F, 0.9F}).equal_error, 1);
}

TEST(EqualError, is_a_half_for_scores_that_say_nothing) {
  EXPECT_NEAR(equal_error({0.1F, 0.2F, 0.3F, 0.4F}, {0.1F, 0.2F, 0.3F, 0.4F}).equal_error, 0.5,
              1e-9);
}

TEST(EqualError, takes_every_pair_of_vectors_once) {
  const SpeakerScores scores = score_speakers({{1, 0}, {0.8F, 0.6F}, {0, 1}, {0, 1}}, {0, 0, 1, 1});
  EXPECT_EQ(scores.same_pairs, 2u);
  EXPECT_EQ(scores.other_pairs, 4u);
  EXPECT_NEAR(scores.same_mean, 0.9, 1e-6);
  EXPECT_NEAR(scores.other_mean, 0.3, 1e-6);
  EXPECT_EQ(scores.equal_error, 0);
}

TEST(EqualError, of_one_speaker_alone_is_not_known) {
  for (const SpeakerScores& scores : {score_speakers({{1, 0}, {1, 0}}, {0, 0}),
                                      score_speakers({}, {}), equal_error({}, {0.5F})}) {
    EXPECT_FALSE(scores.measured());
    EXPECT_TRUE(std::isnan(scores.equal_error));
    EXPECT_TRUE(std::isnan(scores.threshold));
  }
}

}  // namespace
}  // namespace kani::train
