// Error feedback: the linear algebra by its definition, and that it does what it is for.
#include "kani/quant/error_feedback.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/base/random.h"

namespace kani {
namespace {

constexpr size_t kSize = 64;

// Inputs with strong relations between neighbours, and their products.
struct Inputs {
  explicit Inputs(size_t count) : x(count * kSize), products(kSize * kSize) {
    Random random(5);
    for (size_t t = 0; t < count; ++t) {
      double common = 0;
      for (size_t i = 0; i < kSize; ++i) {
        common = 0.8 * common + random.next_normal();
        x[t * kSize + i] = static_cast<float>(common);
      }
      for (size_t i = 0; i < kSize; ++i) {
        for (size_t k = 0; k < kSize; ++k)
          products[i * kSize + k] += x[t * kSize + i] * x[t * kSize + k];
      }
    }
  }
  std::vector<float> x, products;
};

double product_error(const Inputs& inputs, const std::vector<float>& w, float scale,
                     const std::vector<int8_t>& groups, const std::vector<int8_t>& q) {
  double error = 0;
  for (size_t t = 0; t < inputs.x.size() / kSize; ++t) {
    double off = 0;
    for (size_t i = 0; i < kSize; ++i) {
      const double rounded = static_cast<double>(scale) * groups[i / 16] * kQ4Levels[q[i]];
      off += (w[i] - rounded) * inputs.x[t * kSize + i];
    }
    error += off * off;
  }
  return error;
}

TEST(ErrorFeedback, products_of_related_inputs_are_kept_better_than_by_rounding) {
  const Inputs inputs(500);
  const ErrorFeedback feedback(inputs.products, kSize);
  Random random(7);
  double plain = 0, fed_back = 0;
  for (int row = 0; row < 20; ++row) {
    std::vector<float> w(kSize);
    for (float& value : w) value = static_cast<float>(0.02 * random.next_normal());
    std::vector<int8_t> groups(kSize / 16), q(kSize);
    const float scale = quantize_row_q4(w, {groups, q});
    plain += product_error(inputs, w, scale, groups, q);
    std::vector<float> changed = w;
    const float roomy = row_scale_q4(w);
    feedback.round_q4(changed, roomy, {groups, q});
    fed_back += product_error(inputs, w, roomy, groups, q);
  }
  EXPECT_LT(fed_back, 0.6 * plain);
}

TEST(ErrorFeedback, without_relations_it_is_rounding) {
  std::vector<float> unit(kSize * kSize);
  for (size_t i = 0; i < kSize; ++i) unit[i * kSize + i] = 1;
  const ErrorFeedback feedback(unit, kSize);
  Random random(8);
  std::vector<float> w(kSize);
  for (float& value : w) value = static_cast<float>(random.next_normal());
  std::vector<int8_t> groups(kSize / 16), q(kSize);
  const float scale = row_scale_q4(w);
  std::vector<float> changed = w;
  feedback.round_q4(changed, scale, {groups, q});
  EXPECT_EQ(changed, w);
  for (size_t i = 0; i < kSize; ++i) EXPECT_EQ(q[i], nearest_q4(w[i] / (scale * groups[i / 16])));
}

TEST(ErrorFeedback, inputs_that_are_always_zero_do_no_harm) {
  const std::vector<float> none(kSize * kSize);
  const ErrorFeedback feedback(none, kSize);
  std::vector<float> w(kSize, 0.5F);
  std::vector<int8_t> groups(kSize / 16), q(kSize);
  const float scale = row_scale_q4(w);
  feedback.round_q4(w, scale, {groups, q});
  for (size_t i = 0; i < kSize; ++i)
    EXPECT_NEAR(scale * static_cast<float>(groups[i / 16] * kQ4Levels[q[i]]), 0.5, 0.01);
}

}  // namespace
}  // namespace kani
