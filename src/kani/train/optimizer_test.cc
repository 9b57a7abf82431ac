// optimizer_test.cc - AdamW's numbers by hand: what decays and what does not.
#include "kani/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kani::train {
namespace {

TEST(AdamW, weight_decay_shrinks_all_but_the_rope_factors) {
  ParameterMap parameters;
  const char* alpha = "model.layers.0.self_attn.alpha_weight";
  for (const char* name : {"model.embed_tokens.weight", "model.norm.weight",
                           "model.layers.0.feed_forward.w1.weight", alpha, "none"})
    parameters[name] = at::full({2, 2}, 2.0f).set_requires_grad(true);
  const double rate = 0.01, decay = 0.5, beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8;
  AdamW optimizer({.learning_rate = rate,
                   .alpha_lr_ratio = 3,
                   .beta1 = beta1,
                   .beta2 = beta2,
                   .epsilon = epsilon,
                   .weight_decay = decay,
                   .max_grad_norm = 0,
                   .warmup_steps = 0,
                   .total_steps = 10,
                   .schedule = "constant"},
                  parameters);
  double weight = 2, factor = 2, first = 0, second = 0;
  for (int n = 0; n < 3; ++n) {
    const double gradient = 0.25 * (n + 1);
    for (auto& [name, parameter] : parameters) {
      if (name != "none") parameter.mutable_grad() = at::full({2, 2}, gradient, at::kFloat);
    }
    optimizer.step(n);
    first = beta1 * first + (1 - beta1) * gradient;
    second = beta2 * second + (1 - beta2) * gradient * gradient;
    const double moved = first / (1 - std::pow(beta1, n + 1)) /
                         (std::sqrt(second / (1 - std::pow(beta2, n + 1))) + epsilon);
    weight = weight * (1 - rate * decay) - rate * moved;
    factor -= 3 * rate * moved;
    for (const auto& [name, parameter] : parameters) {
      const double expected = name == "none" ? 2 : name == alpha ? factor : weight;
      EXPECT_NEAR(parameter[1][0].item<double>(), expected, 1e-6) << name << " after " << n;
    }
  }
}

}  // namespace
}  // namespace kani::train
