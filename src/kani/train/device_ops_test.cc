// device_ops_test.cc - the kernels of cuda/ through their CPU twins, inside the very nodes that run
// on GPUs: values and gradients against ops_plain.h, in float32 and bf16; odd sizes, tails of tiles
// and slabs, documents of one element, places that are not aligned.  Threads run in two orders,
// which must give the same bits (cuda/block.cuh).
#include "kani/train/device_ops.h"

#include <ATen/ops/_fused_adamw.h>
#include <gtest/gtest.h>

#include <functional>

#include "kani/train/cuda/twin.h"
#include "kani/train/device_update.h"
#include "kani/train/ops_plain.h"
#include "kani/train/sequence.h"

namespace kani::train {
namespace {

using cuda::Kernels;
using cuda::ThreadOrder;
using cuda::twin_kernels;
using Tensors = std::vector<at::Tensor>;
using Operation = std::function<Tensors(const Tensors&)>;
using KernelOperation = std::function<Tensors(const Kernels&, const Tensors&)>;

constexpr double kEps = 1e-5;

at::Tensor random_tensor(at::IntArrayRef shape, double scale = 1) {
  return at::randn(shape) * scale;
}

double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kFloat) - b).abs().max().item<double>() / (1e-3 + b.abs().max().item<double>());
}

struct Outcome {
  Tensors values, gradients;
};

// Results of an operation and the gradients of their products with fixed directions.
Outcome run(const Operation& operation, const Tensors& inputs, const Tensors& directions) {
  Tensors x;
  for (const at::Tensor& input : inputs) x.push_back(input.detach().set_requires_grad(true));
  Outcome out{operation(x), {}};
  at::Tensor total;
  for (size_t i = 0; i < out.values.size(); ++i) {
    const at::Tensor part = (out.values[i].to(at::kFloat) * directions[i]).sum();
    total = total.defined() ? total + part : part;
  }
  total.backward();
  for (const at::Tensor& input : x) out.gradients.push_back(input.grad());
  return out;
}

void expect_close(const Outcome& ours, const Outcome& right, double values, double gradients) {
  for (size_t i = 0; i < right.values.size(); ++i)
    EXPECT_LT(worst(ours.values[i], right.values[i]), values) << "result " << i;
  for (size_t i = 0; i < right.gradients.size(); ++i)
    EXPECT_LT(worst(ours.gradients[i], right.gradients[i]), gradients) << "input " << i;
}

// `large`: how many of the first inputs are numbers that may be bf16; the others are weights.
void expect_same(const KernelOperation& kernels, const Operation& plain, Tensors inputs,
                 size_t large) {
  const auto with = [&](ThreadOrder order) {
    return [&, order](const Tensors& x) { return kernels(twin_kernels(order), x); };
  };
  Tensors directions;
  for (const at::Tensor& y : plain(inputs)) directions.push_back(at::randn_like(y));
  const Outcome up = run(with(ThreadOrder::kUp), inputs, directions);
  const Outcome down = run(with(ThreadOrder::kDown), inputs, directions);
  for (size_t i = 0; i < up.values.size(); ++i) EXPECT_TRUE(up.values[i].equal(down.values[i]));
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_TRUE(up.gradients[i].equal(down.gradients[i])) << "input " << i;
  expect_close(up, run(plain, inputs, directions), 2e-6, 1e-5);
  // In bf16 the same numbers, rounded once on the way in and once on the way out (8 bits each).
  Tensors rounded = inputs;
  for (size_t i = 0; i < large; ++i) {
    rounded[i] = inputs[i].to(at::kBFloat16);
    inputs[i] = rounded[i].to(at::kFloat);
  }
  expect_close(run(with(ThreadOrder::kUp), rounded, directions), run(plain, inputs, directions),
               0.01, 0.02);
}

class DeviceOps : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
  // Documents of 1, 2, 37, 32, 1 and 67 elements.
  const std::vector<int64_t> starts_{0, 1, 3, 40, 72, 73, 140};
};

TEST_F(DeviceOps, rms_norm_for_widths_that_fill_no_pack_and_many) {
  for (const int64_t width : {1, 7, 64, 65, 520, 1023}) {
    expect_same([](const Kernels& k,
                   const Tensors& x) { return Tensors{device::rms_norm(k, x[0], x[1], kEps)}; },
                [](const Tensors& x) { return Tensors{plain::rms_norm(x[0], x[1], kEps)}; },
                {random_tensor({53, width}), random_tensor({width})}, 1);
  }
}

TEST_F(DeviceOps, rms_norm_at_a_place_that_is_not_aligned) {
  const at::Tensor x = random_tensor({1 + 5 * 64}).slice(0, 1).view({5, 64});
  const at::Tensor w = random_tensor({64});
  EXPECT_LT(worst(device::rms_norm(twin_kernels(), x, w, kEps), plain::rms_norm(x, w, kEps)), 2e-6);
}

TEST_F(DeviceOps, add_rms_norm_passes_both_gradients_on) {
  for (const int64_t width : {7, 64}) {
    expect_same(
        [](const Kernels& k, const Tensors& x) {
          const NormedSum both = device::add_rms_norm(k, x[0], x[1], x[2], kEps);
          return Tensors{both.sum, both.normed};
        },
        [](const Tensors& x) {
          const at::Tensor sum = x[0] + x[1];
          return Tensors{sum, plain::rms_norm(sum, x[2], kEps)};
        },
        {random_tensor({33, width}), random_tensor({33, width}), random_tensor({width})}, 2);
  }
}

TEST_F(DeviceOps, norm_rope_in_the_angles_too) {
  for (const int64_t heads : {1, 4, 6}) {
    for (const int64_t width : {2, 16, 64, 66, 130, 256}) {
      expect_same(
          [](const Kernels& k, const Tensors& x) {
            return Tensors{device::norm_rope(k, x[0], x[1], x[2], kEps)};
          },
          [](const Tensors& x) { return Tensors{plain::norm_rope(x[0], x[1], x[2], kEps)}; },
          {random_tensor({19, heads, width}), random_tensor({width}),
           random_tensor({19, width / 2}, 3)},
          1);
    }
  }
}

TEST_F(DeviceOps, swiglu_from_end_to_end) {
  for (const int64_t width : {1, 37, 64}) {
    expect_same(
        [](const Kernels& k, const Tensors& x) { return Tensors{device::swiglu(k, x[0], x[1])}; },
        [](const Tensors& x) { return Tensors{plain::swiglu(x[0], x[1])}; },
        {random_tensor({53, width}, 30), random_tensor({53, width})}, 2);
  }
}

TEST_F(DeviceOps, short_conv_stays_in_its_document) {
  for (const int64_t width : {19, 20, 516}) {
    for (const int64_t taps : {2, 3, 16}) {
      for (const bool bias : {false, true}) {
        Tensors inputs{random_tensor({140, 3 * width}), random_tensor({width, 1, taps})};
        if (bias) inputs.push_back(random_tensor({width}));
        expect_same(
            [&](const Kernels& k, const Tensors& x) {
              return Tensors{
                  device::short_conv(k, x[0], x[1], bias ? x[2] : at::Tensor(), starts_)};
            },
            [&](const Tensors& x) {
              return Tensors{plain::short_conv(x[0], x[1], bias ? x[2] : at::Tensor(), starts_)};
            },
            inputs, 1);
      }
    }
  }
}

TEST_F(DeviceOps, attention_with_shared_keys_in_tiles_of_both_sizes) {
  for (const int64_t width : {4, 66, 130}) {
    for (const int64_t kv_heads : {1, 2, 4}) {
      expect_same(
          [&](const Kernels& k, const Tensors& x) {
            return Tensors{device::attention(k, x[0], x[1], x[2], starts_)};
          },
          [&](const Tensors& x) { return Tensors{plain::attention(x[0], x[1], x[2], starts_)}; },
          {random_tensor({140, 4, width}), random_tensor({140, kv_heads, width}),
           random_tensor({140, kv_heads, width})},
          3);
    }
  }
}

TEST_F(DeviceOps, attention_with_scores_that_are_far_apart) {
  expect_same(
      [&](const Kernels& k, const Tensors& x) {
        return Tensors{device::attention(k, x[0], x[1], x[2], starts_)};
      },
      [&](const Tensors& x) { return Tensors{plain::attention(x[0], x[1], x[2], starts_)}; },
      {random_tensor({140, 1, 16}, 6), random_tensor({140, 1, 16}, 6), random_tensor({140, 1, 16})},
      0);
}

TEST_F(DeviceOps, cross_entropy_whatever_the_chunk) {
  for (const int64_t vocabulary : {3, 101, 1030}) {
    at::Tensor targets = at::randint(0, vocabulary, {53}, at::kLong);
    targets.index_put_({at::tensor({0, 7, 52})}, at::scalar_tensor(kNoTarget, at::kLong));
    for (const int64_t chunk : {1, 16, 1000}) {
      expect_same(
          [&](const Kernels& k, const Tensors& x) {
            return Tensors{device::cross_entropy(k, x[0], x[1], targets, 0.5, chunk).loss};
          },
          [&](const Tensors& x) {
            return Tensors{plain::cross_entropy(x[0], x[1], targets, 0.5).loss};
          },
          {random_tensor({53, 12}, 3), random_tensor({vocabulary, 12})}, 0);
    }
    const Tensors x{random_tensor({53, 12}, 3), random_tensor({vocabulary, 12})};
    EXPECT_LT(worst(device::cross_entropy(twin_kernels(), x[0], x[1], targets, 1, 16).per_token,
                    plain::cross_entropy(x[0], x[1], targets, 1).per_token),
              1e-6);
  }
}

TEST_F(DeviceOps, cross_entropy_of_bf16_logits_is_right_for_the_rounded_ones) {
  const at::Tensor targets = at::randint(0, 1030, {53}, at::kLong);
  at::Tensor logits = random_tensor({53, 1030}, 5).to(at::kBFloat16);
  const at::Tensor wide = logits.to(at::kFloat).set_requires_grad(true);
  const at::Tensor right = at::cross_entropy_loss(wide, targets, {}, at::Reduction::Sum);
  right.backward();
  const at::Tensor losses = at::empty({53});
  twin_kernels().classify({.logits = logits.mutable_data_ptr(),
                           .targets = targets.const_data_ptr<int64_t>(),
                           .rows = 53,
                           .vocabulary = 1030,
                           .factor = 1,
                           .losses = losses.mutable_data_ptr<float>()},
                          cuda::Number::kBF16, nullptr);
  EXPECT_LT(worst(losses.sum(), right.detach()), 1e-6);
  EXPECT_LT(worst(logits, wide.grad()), 0.005);
}

// Parameters of all kinds of sizes with their state.
std::vector<device::UpdateRow> update_rows() {
  std::vector<device::UpdateRow> rows;
  for (const int64_t size : {1, 5, 0, 8192, 8193, 20000}) {
    rows.push_back({random_tensor({size}), random_tensor({size}), random_tensor({size}),
                    random_tensor({size}).abs(), at::full({}, 3.0F),
                    at::empty({size}, at::kBFloat16), size == 5 ? 1 : 0});
  }
  return rows;
}

TEST_F(DeviceOps, adamw_is_that_of_libtorch_and_leaves_copies) {
  const auto rows = update_rows();
  for (const int group : {0, 1}) {
    Tensors parameters, grads, first, second, steps;
    std::vector<device::UpdateRow> own;
    for (const device::UpdateRow& row : rows) {
      if (row.group != group || row.parameter.numel() == 0) continue;
      parameters.push_back(row.parameter.clone());
      grads.push_back(row.gradient * 0.25);
      first.push_back(row.first.clone());
      second.push_back(row.second.clone());
      steps.push_back(row.steps.clone());
      own.push_back(row);
    }
    at::_fused_adamw_(parameters, grads, first, second, {}, steps, group == 0 ? 0.01 : 0.002, 0.9,
                      0.999, group == 0 ? 0.1 : 0, 1e-8, /*amsgrad=*/false, /*maximize=*/false);
    device::adamw(twin_kernels(), own,
                  {.rate = {0.01F, 0.002F},
                   .decay = {0.1F, 0},
                   .beta1 = 0.9F,
                   .beta2 = 0.999F,
                   .eps = 1e-8F,
                   .factor = 0.25F});
    for (size_t i = 0; i < own.size(); ++i) {
      EXPECT_LT(worst(own[i].parameter, parameters[i]), 1e-6) << i;
      EXPECT_LT(worst(own[i].first, first[i]), 1e-6) << i;
      EXPECT_LT(worst(own[i].second, second[i]), 1e-6) << i;
      EXPECT_TRUE(own[i].copy.equal(own[i].parameter.to(at::kBFloat16))) << i;
    }
  }
}

TEST_F(DeviceOps, the_norm_of_gradients_is_that_of_all_numbers) {
  Tensors gradients;
  for (const device::UpdateRow& row : update_rows()) gradients.push_back(row.gradient);
  const double right = at::cat(gradients).to(at::kDouble).norm().item<double>();
  EXPECT_NEAR(device::gradient_norm(twin_kernels(), gradients), right, 1e-12 * right);
  EXPECT_EQ(device::gradient_norm(twin_kernels(), {}), 0);
}

}  // namespace
}  // namespace kani::train
