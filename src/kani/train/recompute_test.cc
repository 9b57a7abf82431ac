// recompute_test.cc - layers that are computed again give the same gradients, bit for bit.
#include "kani/train/recompute.h"

#include "kani/train/lora.h"
#include "kani/train/ops.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

using Gradients = std::map<std::string, at::Tensor>;

class RecomputeTest : public RunTest {
 protected:
  // Of the loss of two rows, one after the other, as an update sums them.
  Gradients gradients(ComputeRules rules, bool adapters) const {
    Lfm2Module base = load_module(folder_ / "base");
    ParameterMap parameters = base.parameters();
    if (adapters) {
      add_adapters({.rank = 4}, 1, parameters);
      rules.adapter_scale = 2;
      at::NoGradGuard no_grad;
      at::manual_seed(1);
      for (auto& [name, parameter] : parameters) {
        if (name.ends_with("lora_B.weight")) parameter.normal_(0, 0.1);
      }
    }
    const Lfm2Module model(base.config(), parameters, rules);
    const TokenLayout layout = TokenLayout::of(model.config());
    const ClipSet clips({folder_ / "data.kshard"}, layout);
    Gradients out;
    double loss = 0;
    for (const size_t row : {0, 1}) {
      PackedBatch batch;
      batch.noise = 5 + row;
      for (const size_t i : {3 * row, 3 * row + 1, 3 * row + 2}) {
        const TrainingClip clip = clips.clip(i);
        batch.add(layout, {}, clip_ids(layout, clip, {}), clip.voice, 0);
      }
      const at::Tensor hidden = model.forward(batch);
      const LossResult result = cross_entropy(model.for_products(hidden), model.head(),
                                              at::tensor(at::IntArrayRef(batch.targets)), 0.01, 64);
      result.loss.backward();
      loss += result.loss.item<double>();
    }
    for (const auto& [name, parameter] : model.parameters()) {
      if (parameter.grad().defined()) out[name] = parameter.grad();
    }
    out["loss"] = at::scalar_tensor(loss, at::kDouble);
    return out;
  }

  void expect_equal(const ComputeRules& rules, bool adapters, size_t least) const {
    ComputeRules again = rules;
    again.recompute = true;
    const Gradients kept = gradients(rules, adapters), recomputed = gradients(again, adapters);
    EXPECT_GE(kept.size(), least);
    EXPECT_EQ(kept.size(), recomputed.size());
    for (const auto& [name, gradient] : kept)
      EXPECT_TRUE(gradient.equal(recomputed.at(name))) << name;
  }
};

TEST_F(RecomputeTest, gradients_are_the_same_bit_for_bit) { expect_equal({}, false, 60); }

TEST_F(RecomputeTest, gradients_in_bf16_are_the_same_bit_for_bit) {
  expect_equal({.bf16 = true}, false, 60);
}

TEST_F(RecomputeTest, adapters_see_the_same_dropout_when_computed_again) {
  expect_equal({.adapter_dropout = 0.3}, true, 68);
  // And it is there: without it the gradients are others.
  const char* const name = "model.layers.0.feed_forward.w1.lora_A.weight";
  EXPECT_FALSE(gradients({.recompute = true, .adapter_dropout = 0.3}, true)
                   .at(name)
                   .equal(gradients({.recompute = true}, true).at(name)));
}

TEST_F(RecomputeTest, a_run_gives_the_same_bytes) {
  std::vector<std::string> models;
  for (const bool recompute : {false, true}) {
    TrainConfig c = config(recompute ? "again" : "kept");
    c.gradient_checkpointing = recompute;
    c.max_steps = 3;
    Trainer trainer(c, false);
    while (!trainer.done()) trainer.step();
    trainer.save();
    models.push_back(weights(c.output_dir));
  }
  EXPECT_EQ(models[0], models[1]);
  // It changes no number, so a run may go on with it.
  TrainConfig c = config("kept");
  c.max_steps = 3;
  c.gradient_checkpointing = true;
  EXPECT_EQ(Trainer(c, true).state().update, 3);
}

TEST(Recomputed, runs_the_part_twice_and_gives_gradients_of_input_and_parameters) {
  int runs = 0;
  const at::Tensor w = at::tensor({2.0F, 3.0F}).set_requires_grad(true),
                   unused = at::tensor({1.0F}).set_requires_grad(true),
                   fixed = at::tensor({5.0F, 7.0F}),
                   x = at::tensor({1.0F, -1.0F}).set_requires_grad(true);
  const Part part = [&](const at::Tensor& in) {
    ++runs;
    return in * in * w + fixed;
  };
  const at::Tensor y = recomputed(part, x, {w, unused, fixed});
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(y.equal(at::tensor({7.0F, 10.0F})));
  y.sum().backward();
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(x.grad().equal(at::tensor({4.0F, -6.0F})));
  EXPECT_TRUE(w.grad().equal(at::tensor({1.0F, 1.0F})));
  EXPECT_FALSE(fixed.grad().defined());
}

}  // namespace
}  // namespace kani::train
