// T8 (reliability.md): which updates are left out, and why.
#include "kani/train/run_health.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kani::train {
namespace {

UpdateReport report_of(double loss, double norm) {
  UpdateReport report;
  report.loss = loss;
  report.grad_norm = norm;
  return report;
}

/// Sixteen updates whose norms are 1 to 2.
RunState usual() {
  RunState state;
  for (int i = 0; i < 16; ++i) remember(report_of(3 + 0.1 * (i % 2), 1 + i / 15.0), state);
  return state;
}

UpdateReport judged(double loss, double norm, const RunState& state,
                    const HealthRules& rules = {}) {
  UpdateReport report = report_of(loss, norm);
  judge(report, state, rules);
  return report;
}

TEST(RunHealth, T8_what_is_not_finite_is_left_out) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(judged(kNan, 1, {}).skip_reason, "the loss is not finite");
  EXPECT_EQ(judged(INFINITY, 1, {}).skip_reason, "the loss is not finite");
  EXPECT_EQ(judged(1, kNan, {}).skip_reason, "a gradient is not finite");
  EXPECT_EQ(judged(1, INFINITY, {}, {.watch_the_norm = false}).skip_reason,
            "a gradient is not finite");
}

TEST(RunHealth, T8_a_gradient_ten_times_the_median_is_left_out) {
  const RunState state = usual();  // the median is 1.5 and a bit
  EXPECT_FALSE(judged(3, 15, state).skipped);
  const UpdateReport spike = judged(3, 150, state);
  EXPECT_TRUE(spike.skipped);
  EXPECT_NE(spike.skip_reason.find("norm is 150, the median is 1.5"), std::string::npos)
      << spike.skip_reason;
  EXPECT_FALSE(judged(3, 150, state, {.watch_the_norm = false}).skipped);
  RunState young = usual();
  young.recent_norms.pop_back();
  EXPECT_FALSE(judged(3, 150, young).skipped) << "too few to know";
}

TEST(RunHealth, T8_what_is_left_out_is_counted_and_does_not_move_the_median) {
  RunState state = usual();
  for (int i = 0; i < 5; ++i) {
    UpdateReport spike = judged(3, 150, state);
    ASSERT_TRUE(spike.skipped) << i;
    remember(spike, state);
  }
  EXPECT_EQ(state.skipped, 5);
  EXPECT_EQ(state.skipped_in_row, 5);
  remember(judged(3, 1, state), state);
  EXPECT_EQ(state.skipped, 5);
  EXPECT_EQ(state.skipped_in_row, 0);
  EXPECT_EQ(state.recent_norms.size(), 17U);
}

TEST(RunHealth, clipping_and_scores_are_told) {
  const RunState state = usual();
  EXPECT_TRUE(judged(3, 1.5, state, {.max_grad_norm = 1}).clipped);
  EXPECT_FALSE(judged(3, 0.5, state, {.max_grad_norm = 1}).clipped);
  EXPECT_FALSE(judged(3, 1.5, state).clipped);
  // Losses are 3 and 3.1 in turn: mean 3.05, deviation 0.05.
  EXPECT_NEAR(judged(3.2, 1, state).loss_score, 3, 1e-9);
  EXPECT_EQ(judged(3.2, 1, {}).loss_score, 0);
}

}  // namespace
}  // namespace kani::train
