// narrow_weights_test.cc - rounding by chance has the right mean and the same bits everywhere,
// gradients of bf16 weights are float32, and a run in 2 bytes a weight learns as one in 4.
#include "kani/train/narrow_weights.h"

#include <cmath>

#include "kani/train/ops.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kFloat) - b.to(at::kFloat)).norm() / b.to(at::kFloat).norm()).item<double>();
}

TEST(RoundedByChance, keeps_what_bf16_can_hold_and_what_is_no_number) {
  const at::Tensor exact = at::tensor({0.0F, -0.0F, 1.0F, -3.5F, 1e-38F, 3e38F}).to(at::kBFloat16);
  for (uint64_t key = 0; key < 50; ++key) {
    const at::Tensor out = rounded_by_chance(exact.to(at::kFloat), key);
    EXPECT_TRUE(out.view(at::kShort).equal(exact.view(at::kShort)));
  }
  const at::Tensor odd = at::tensor({INFINITY, -INFINITY, NAN});
  const at::Tensor out = rounded_by_chance(odd, 7).to(at::kFloat);
  EXPECT_TRUE(out.slice(0, 0, 2).equal(odd.slice(0, 0, 2)));
  EXPECT_TRUE(std::isnan(out[2].item<float>()));
}

TEST(RoundedByChance, takes_one_of_the_two_neighbours_and_the_mean_is_right) {
  constexpr int64_t kCount = 200000;
  for (const double x : {1.001, -0.3337, 7.0e-3, 1.0 + 1.0 / 300}) {
    const at::Tensor out = rounded_by_chance(at::full({kCount}, x, at::kFloat), 11).to(at::kDouble);
    const double low = out.min().item<double>(), high = out.max().item<double>();
    EXPECT_LT(low, x);
    EXPECT_GT(high, x);
    const double step = high - low;
    EXPECT_LE(step, std::abs(x) * 0x1p-7);
    EXPECT_EQ((out.eq(low).sum() + out.eq(high).sum()).item<int64_t>(), kCount);
    // Four deviations of the mean of so many draws.
    EXPECT_NEAR(out.mean().item<double>(), x, 4 * step * 0.5 / std::sqrt(kCount)) << x;
  }
}

TEST(RoundedByChance, the_places_and_the_keys_draw_apart) {
  const at::Tensor x = at::full({4096}, 1.0 + 0x1p-8, at::kFloat);  // half way
  const at::Tensor a = rounded_by_chance(x, 1).to(at::kFloat),
                   b = rounded_by_chance(x, 2).to(at::kFloat);
  EXPECT_NEAR(a.eq(b).to(at::kFloat).mean().item<double>(), 0.5, 0.05);
  EXPECT_NEAR(a.slice(0, 1).eq(a.slice(0, 0, 4095)).to(at::kFloat).mean().item<double>(), 0.5,
              0.05);
  EXPECT_TRUE(a.equal(rounded_by_chance(x, 1).to(at::kFloat)));
}

TEST(RoundedByChance, tensors_operations_give_the_bits_of_the_loop) {
  at::manual_seed(5);
  // More than are done at once, and not in order.
  const at::Tensor x = at::randn({2111, 2003}).mul_(3).t();
  for (const uint64_t key : {uint64_t{0}, uint64_t{0xFEDCBA9876543210}}) {
    EXPECT_TRUE(rounded_by_chance(x, key).equal(rounded_by_chance_anywhere(x, key)));
  }
  EXPECT_EQ(rounded_by_chance(at::empty({0, 3}), 1).numel(), 0);
}

TEST(NarrowWeights, gradients_are_float32_and_add_up_so) {
  at::manual_seed(5);
  ParameterMap parameters{
      {"model.layers.0.w", at::randn({24, 64}).set_requires_grad(true)},
      {"model.embed_tokens.weight", at::randn({40, 64}).set_requires_grad(true)},
      {"model.norm.weight", at::ones({64}).set_requires_grad(true)},
      {"model.layers.0.w.lora_A.weight", at::ones({2, 64})}};
  narrow_weights(parameters);
  const at::Tensor w = parameters["model.layers.0.w"],
                   table = parameters["model.embed_tokens.weight"];
  EXPECT_TRUE(is_narrow(w) && is_narrow(table));
  EXPECT_FALSE(is_narrow(parameters["model.norm.weight"]) ||
               is_narrow(parameters["model.layers.0.w.lora_A.weight"]));
  at::Tensor sum_w = at::zeros({24, 64}), sum_table = at::zeros({40, 64});
  for (int batch = 0; batch < 3; ++batch) {
    const at::Tensor ids = at::randint(0, 40, {53}, at::kLong);
    const at::Tensor wide = table.detach().to(at::kFloat).set_requires_grad(true),
                     wide_w = w.detach().to(at::kFloat).set_requires_grad(true);
    const auto loss = [&](const at::Tensor& rows, const at::Tensor& matrix,
                          const at::Tensor& head) {
      const at::Tensor y = train::linear(rows.to(at::kBFloat16), matrix);
      const LossResult result = cross_entropy(rows.to(at::kBFloat16), head, ids, 0.3, 16);
      return y.square().sum() * 0.01 + result.loss;
    };
    loss(widened_rows(table, ids), w, table).backward();
    loss(at::embedding(wide, ids), wide_w, wide).backward();
    sum_w += wide_w.grad();
    sum_table += wide.grad();
  }
  EXPECT_EQ(w.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(table.grad().scalar_type(), at::kFloat);
  EXPECT_LT(relative(w.grad(), sum_w), 1e-6);
  EXPECT_LT(relative(table.grad(), sum_table), 1e-6);
}

class NarrowRun : public RunTest {
 protected:
  TrainConfig narrow(const std::string& out) const {
    TrainConfig c = config(out);
    c.bf16 = true;
    c.weight_dtype = "bf16";
    return c;
  }
};

TEST_F(NarrowRun, learns_as_one_with_float32_weights) {
  TrainConfig c = narrow("out");
  c.max_steps = 40;
  c.optimizer.learning_rate = 2e-4;  // updates below half a step of bf16
  c.optimizer.schedule = "constant_with_warmup";
  c.ema_decay = 0.9;
  Trainer chance(c, false);
  c.weight_dtype = "f32";
  Trainer wide(c, false);
  double last_chance = 0, last_wide = 0, first = 0;
  for (int64_t n = 0; n < c.max_steps; ++n) {
    last_chance = chance.step().loss;
    last_wide = wide.step().loss;
    if (n == 0) first = last_wide;
  }
  EXPECT_NEAR(last_chance, last_wide, 0.1 * (first - last_wide));
  // In the mean over all of a matrix the way is the one of float32's.
  const std::string name = "model.layers.0.feed_forward.w1.weight";
  const at::Tensor start = load_module(folder_ / "base").parameter(name).detach(),
                   own = chance.model().parameter(name).detach().to(at::kFloat),
                   right = wide.model().parameter(name).detach();
  EXPECT_TRUE(is_narrow(chance.model().parameter(name)));
  const at::Tensor way = right - start;
  const double along =
      ((own - start) * way).sum().item<double>() / way.square().sum().item<double>();
  EXPECT_GT(along, 0.9);
  EXPECT_LT(along, 1.1);
}

TEST_F(NarrowRun, goes_on_bit_for_bit_and_is_exported) {
  for (const char* rule : {"adamw", "muon"}) {
    TrainConfig c = narrow(concat("whole-", rule));
    c.optimizer.rule = rule;
    c.gradient_checkpointing = true;
    c.audio_softmax = "due";
    c.max_steps = 6;
    Trainer whole(c, false);
    while (!whole.done()) whole.step();
    whole.save();
    c.output_dir = folder_ / concat("part-", rule);
    c.gradient_checkpointing = false;
    {
      Trainer part(c, false);
      while (part.state().update < 3) part.step();
      part.save();
    }
    Trainer rest(c, true);
    while (!rest.done()) rest.step();
    rest.save();
    EXPECT_EQ(weights(folder_ / concat("whole-", rule)), weights(folder_ / concat("part-", rule)));
    rest.export_model(folder_ / "export", SavedType::kF32, false);
    const Lfm2Module read = load_module(folder_ / "export");
    for (const auto& [name, parameter] : rest.model().parameters())
      EXPECT_TRUE(read.parameter(name).equal(parameter.detach().to(at::kFloat))) << name;
  }
}

TEST_F(NarrowRun, what_it_cannot_be_beside_is_refused) {
  TrainConfig c = narrow("out");
  c.bf16 = false;
  EXPECT_THROW(c.validate(), Error);
  c = narrow("out");
  c.parity = true;
  EXPECT_THROW(c.validate(), Error);
  c = narrow("out");
  c.weight_dtype = "f16";
  EXPECT_THROW(c.validate(), Error);
  EXPECT_NO_THROW(narrow("out").validate());
}

}  // namespace
}  // namespace kani::train
