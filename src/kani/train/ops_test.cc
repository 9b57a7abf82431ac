// ops_test.cc - every fused operation against its plain twin, values and gradients, and the plain
// ones against differences.  Documents of all lengths, widths that fill no vector.
#include "kani/train/ops.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <functional>

#include "kani/train/ops_plain.h"
#include "kani/train/sequence.h"

namespace kani::train {
namespace {

using Inputs = std::vector<at::Tensor>;
using Operation = std::function<at::Tensor(const Inputs&)>;

at::Tensor random_tensor(at::IntArrayRef shape, double scale = 1) {
  return (at::randn(shape) * scale).set_requires_grad(true);
}

Inputs copies(const Inputs& inputs) {
  Inputs out;
  for (const at::Tensor& x : inputs) out.push_back(x.detach().clone().set_requires_grad(true));
  return out;
}

double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>() / (1e-3 + b.abs().max().item<double>());
}

// Values and the gradients of a random projection must agree.
void expect_same(const Operation& fused, const Operation& plain, const Inputs& inputs) {
  const Inputs a = copies(inputs), b = copies(inputs);
  const at::Tensor ya = fused(a), yb = plain(b);
  ASSERT_EQ(ya.sizes(), yb.sizes());
  EXPECT_LT(worst(ya, yb), 2e-6);
  const at::Tensor direction = at::randn_like(yb);
  (ya * direction).sum().backward();
  (yb * direction).sum().backward();
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_LT(worst(a[i].grad(), b[i].grad()), 1e-5) << "input " << i;
}

// Gradients of a plain operation against differences, in double precision.
void expect_derivative(const Operation& plain, const Inputs& inputs) {
  Inputs x;
  for (const at::Tensor& one : inputs)
    x.push_back(one.detach().to(at::kDouble).set_requires_grad(true));
  const at::Tensor direction = at::randn_like(plain(x));
  (plain(x) * direction).sum().backward();
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < x.size(); ++i) {
    at::Tensor flat = x[i].view({-1});
    for (int64_t k = 0; k < flat.size(0); k += 1 + flat.size(0) / 7) {
      const auto value = [&](double by) {
        flat[k] += by;
        const double sum = (plain(x) * direction).sum().item<double>();
        flat[k] -= by;
        return sum;
      };
      const double slope = (value(1e-4) - value(-1e-4)) / 2e-4;
      EXPECT_NEAR(x[i].grad().view({-1})[k].item<double>(), slope, 1e-5 * (1 + std::abs(slope)));
    }
  }
}

class Ops : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(7); }
  const std::vector<int64_t> starts_{0, 1, 3, 20, 21, 53};
};

TEST_F(Ops, linear_is_its_plain_twin_for_all_shapes) {
  for (const int64_t rows : {1, 2, 53}) {
    for (const int64_t inner : {1, 16, 33}) {
      const Inputs inputs{random_tensor({rows, inner}), random_tensor({24, inner}),
                          random_tensor({24})};
      expect_same([](const Inputs& x) { return train::linear(x[0], x[1], x[2]); },
                  [](const Inputs& x) { return at::linear(x[0], x[1], x[2]); }, inputs);
      expect_same([](const Inputs& x) { return train::linear(x[0], x[1]); },
                  [](const Inputs& x) { return at::linear(x[0], x[1]); }, {inputs[0], inputs[1]});
    }
  }
}

TEST_F(Ops, rms_norm_is_its_plain_twin) {
  for (const int64_t width : {1, 7, 64, 65}) {
    const Inputs inputs{random_tensor({53, width}), random_tensor({width})};
    expect_same([](const Inputs& x) { return rms_norm(x[0], x[1], 1e-5); },
                [](const Inputs& x) { return plain::rms_norm(x[0], x[1], 1e-5); }, inputs);
  }
}

TEST_F(Ops, norm_rope_is_its_plain_twin_in_the_angles_too) {
  for (const int64_t heads : {1, 3}) {
    for (const int64_t width : {2, 16, 64}) {
      const Inputs inputs{random_tensor({53, heads, width}), random_tensor({width}),
                          random_tensor({53, width / 2}, 3)};
      expect_same([](const Inputs& x) { return norm_rope(x[0], x[1], x[2], 1e-5); },
                  [](const Inputs& x) { return plain::norm_rope(x[0], x[1], x[2], 1e-5); }, inputs);
    }
  }
}

TEST_F(Ops, swiglu_is_its_plain_twin_from_end_to_end) {
  const Inputs inputs{random_tensor({53, 37}, 30), random_tensor({53, 37})};
  expect_same([](const Inputs& x) { return swiglu(x[0], x[1]); },
              [](const Inputs& x) { return plain::swiglu(x[0], x[1]); }, inputs);
}

TEST_F(Ops, short_conv_is_its_plain_twin_and_stays_in_its_document) {
  for (const int64_t taps : {2, 3, 5}) {
    for (const bool bias : {false, true}) {
      Inputs inputs{random_tensor({53, 3 * 19}), random_tensor({19, 1, taps})};
      if (bias) inputs.push_back(random_tensor({19}));
      const auto with = [&](auto operation) {
        return [&, operation](const Inputs& x) {
          return operation(x[0], x[1], x.size() > 2 ? x[2] : at::Tensor(), starts_);
        };
      };
      expect_same(with(&short_conv), with(&plain::short_conv), inputs);
    }
  }
}

TEST_F(Ops, attention_is_its_plain_twin_with_shared_keys) {
  for (const int64_t kv_heads : {1, 2, 4}) {
    const Inputs inputs{random_tensor({53, 4, 16}), random_tensor({53, kv_heads, 16}),
                        random_tensor({53, kv_heads, 16})};
    expect_same([&](const Inputs& x) { return attention(x[0], x[1], x[2], starts_); },
                [&](const Inputs& x) { return plain::attention(x[0], x[1], x[2], starts_); },
                inputs);
  }
}

TEST_F(Ops, the_plain_ones_are_their_derivatives) {
  const std::vector<int64_t> starts{0, 1, 6};
  expect_derivative([](const Inputs& x) { return at::rms_norm(x[0], {5}, x[1], 1e-5); },
                    {random_tensor({6, 5}), random_tensor({5})});
  expect_derivative([](const Inputs& x) { return plain::swiglu(x[0], x[1]); },
                    {random_tensor({6, 5}), random_tensor({6, 5})});
  expect_derivative([&](const Inputs& x) { return plain::short_conv(x[0], x[1], {}, starts); },
                    {random_tensor({6, 9}), random_tensor({3, 1, 3})});
  expect_derivative([&](const Inputs& x) { return plain::attention(x[0], x[1], x[2], starts); },
                    {random_tensor({6, 2, 4}), random_tensor({6, 1, 4}), random_tensor({6, 1, 4})});
}

TEST_F(Ops, cross_entropy_is_its_plain_twin_whatever_the_chunk) {
  at::Tensor targets = at::randint(0, 101, {53}, at::kLong);
  targets.index_put_({at::tensor({0, 7, 52})}, at::scalar_tensor(kNoTarget, at::kLong));
  const Inputs inputs{random_tensor({53, 12}, 3), random_tensor({101, 12})};
  const Inputs b = copies(inputs);
  const LossResult right = plain::cross_entropy(b[0], b[1], targets, 0.5);
  (right.loss * 3).backward();
  for (const int64_t chunk : {1, 16, 50, 1000}) {
    const Inputs a = copies(inputs);
    const LossResult ours = cross_entropy(a[0], a[1], targets, 0.5, chunk);
    EXPECT_LT(worst(ours.loss, right.loss), 1e-6);
    EXPECT_LT(worst(ours.per_token, right.per_token), 1e-6);
    (ours.loss * 3).backward();
    for (size_t i = 0; i < 2; ++i) EXPECT_LT(worst(a[i].grad(), b[i].grad()), 1e-5);
  }
}

TEST_F(Ops, results_do_not_depend_on_the_number_of_threads) {
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    at::manual_seed(1);
    const Inputs x{random_tensor({53, 3 * 64}), random_tensor({64, 1, 3}), random_tensor({64})};
    rms_norm(short_conv(x[0], x[1], {}, starts_), x[2], 1e-5).square().sum().backward();
    return Inputs{x[0].grad(), x[1].grad(), x[2].grad()};
  };
  const int before = at::get_num_threads();
  const Inputs one = run(1), two = run(2);
  at::set_num_threads(before);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(two[i])) << i;
}

TEST_F(Ops, no_targets_are_no_loss) {
  const at::Tensor hidden = random_tensor({3, 4}), head = random_tensor({5, 4});
  const LossResult result = cross_entropy(hidden, head, at::full({3}, kNoTarget, at::kLong), 1, 8);
  EXPECT_EQ(result.loss.item<double>(), 0);
  result.loss.backward();
  EXPECT_EQ(head.grad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace kani::train
