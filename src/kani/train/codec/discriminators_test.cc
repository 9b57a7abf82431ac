// Losses against their formulas, and that what they ask for is learnt.
#include "kani/train/codec/discriminators.h"

#include <gtest/gtest.h>

namespace kani::train {
namespace {

TEST(Discriminators, tell_what_they_were_shown_apart) {
  const DiscriminatorSizes sizes{
      .periods = {2, 3}, .period_width = 4, .ffts = {256}, .band_width = 4};
  ParameterMap parameters = random_discriminators(sizes, 1);
  for (auto& [name, tensor] : parameters) tensor.set_requires_grad(true);
  const Discriminators critics(sizes, parameters, at::kCPU);
  AdamW optimizer(
      {.learning_rate = 3e-3, .warmup_steps = 0, .total_steps = 30, .schedule = "constant"},
      parameters);
  at::manual_seed(1);
  double first = 0, last = 0;
  for (int64_t n = 0; n < 30; ++n) {
    const at::Tensor real = at::randn({2, 2048}) * 0.1, made = real.cumsum(1) * 0.05;
    const auto a = critics.judge(real), b = critics.judge(made);
    ASSERT_EQ(a.size(), 3u);
    const at::Tensor loss = critic_loss(a, b);
    last = loss.item<double>();
    if (n == 0) first = last;
    EXPECT_GE(feature_loss(a, b).item<double>(), 0);
    EXPECT_EQ(feature_loss(a, a).item<double>(), 0);
    loss.backward();
    optimizer.step(n);
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST(Discriminators, learn_nothing_of_what_has_no_finite_gradient) {
  ParameterMap parameters{{"x", at::zeros({2}).set_requires_grad(true)}};
  at::Tensor& x = parameters.at("x");
  AdamW optimizer({.warmup_steps = 0, .total_steps = 9, .schedule = "constant"}, parameters);
  EXPECT_FALSE(learn_verdict(x.sqrt().sum(), 0, optimizer));  // 0, and infinite
  EXPECT_FALSE(learn_verdict((x / x).sum(), 0, optimizer));   // not even finite itself
  EXPECT_TRUE(at::equal(x, at::zeros({2})));
  EXPECT_TRUE(learn_verdict((x - 1).square().sum(), 0, optimizer));
  EXPECT_GT(x.min().item<double>(), 0);
}

TEST(Discriminators, losses_are_those_of_their_formulas) {
  const auto opinion = [](std::vector<double> feature, double judgement) {
    return Opinion{at::tensor(feature), at::tensor({judgement, judgement})};
  };
  const std::vector<Opinion> real{opinion({1, -3}, 0.75), opinion({2, 2}, 0.5)},
      made{opinion({2, -3}, 0.25), opinion({0, 4}, 1.5)};
  const auto value = [](const at::Tensor& x) { return x.item<double>(); };
  EXPECT_DOUBLE_EQ(value(critic_loss(real, made)), 0.0625 + 0.0625 + 0.25 + 2.25);
  EXPECT_DOUBLE_EQ(value(deception_loss(made)), 0.5625 + 0.25);
  // Distances over the real ones' size, 0.5 of 2 and 2 of 2; the judgement is no feature.
  EXPECT_DOUBLE_EQ(value(feature_loss(real, made)), (0.25 + 1) / 2);
}

TEST(Discriminators, the_generator_is_drawn_to_what_deceives_them) {
  const DiscriminatorSizes sizes{
      .periods = {2, 3}, .period_width = 2, .ffts = {256}, .band_width = 2};
  const ParameterMap parameters = random_discriminators(sizes, 1);
  const Discriminators critics(sizes, parameters, at::kCPU);
  at::manual_seed(2);
  const at::Tensor real = at::randn({2, 1024}) * 0.1;
  const at::Tensor start = at::randn({2, 1024}) * 0.1;
  const std::vector<Opinion> expected = critics.judge(real);
  for (const bool features : {false, true}) {
    const auto loss_of = [&](const at::Tensor& sound) {
      return features ? feature_loss(expected, critics.judge(sound))
                      : deception_loss(critics.judge(sound));
    };
    const at::Tensor made = start.clone().set_requires_grad(true);
    const at::Tensor before = loss_of(made);
    before.backward();
    const at::Tensor gradient = made.grad();
    ASSERT_GT(gradient.norm().item<double>(), 0);
    // As much less as the gradient says.
    const double step = 1e-3 * start.norm().item<double>() / gradient.norm().item<double>();
    const double promised = step * gradient.square().sum().item<double>();
    at::NoGradGuard no_grad;
    const double gained = (before - loss_of(start - gradient * step)).item<double>();
    EXPECT_NEAR(gained / promised, 1, 0.2) << features;
  }
}

}  // namespace
}  // namespace kani::train
