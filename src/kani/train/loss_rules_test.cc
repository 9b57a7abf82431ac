// What may be added to the loss: label smoothing, z-loss, weights; and what counts as a target.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "kani/train/cuda/twin.h"
#include "kani/train/device_ops.h"
#include "kani/train/loss_weights.h"
#include "kani/train/ops_plain.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

struct Case {
  at::Tensor hidden, head, targets, weights;
  static Case random(int64_t rows) {
    at::manual_seed(7);
    Case c{at::randn({40, 12}), at::randn({rows, 12}), at::randint(0, rows, {40}, at::kLong),
           at::rand({40}) * 2};
    c.targets.index_put_({at::tensor({0, 9, 39})}, at::scalar_tensor(kNoTarget, at::kLong));
    return c;
  }
};

// The definition, in double, over all ids.
at::Tensor definition(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                      const LossRules& rules) {
  const at::Tensor logits = at::matmul(hidden, head.t()), p = at::log_softmax(logits, -1);
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (int64_t n = 0; n < targets.size(0); ++n) {
    const auto target = targets[n].item<int64_t>();
    if (target == kNoTarget) continue;
    const at::Tensor z = at::logsumexp(logits[n], {0});
    const at::Tensor one = p[n][target] * (rules.label_smoothing - 1) -
                           p[n].mean() * rules.label_smoothing + z * z * rules.z_loss;
    loss = loss + (rules.weights.defined() ? one * rules.weights[n].to(at::kDouble) : one);
  }
  return loss;
}

double worst(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return ((x - y).abs().max() / y.abs().max()).item<double>();
}

using Loss = std::function<LossResult(const at::Tensor& hidden, const at::Tensor& head)>;

// Value and gradients of `loss` in float32 against the definition's.
void expect_defined(const Case& c, const TableFactors& factors, const LossRules& rules,
                    const Loss& loss) {
  const at::Tensor hidden = c.hidden.clone().set_requires_grad(true),
                   head = c.head.clone().set_requires_grad(true);
  const at::Tensor wide_hidden = c.hidden.to(at::kDouble).set_requires_grad(true),
                   wide_head = c.head.to(at::kDouble).set_requires_grad(true);
  const at::Tensor right = definition(
      wide_hidden, factors.on() ? written_out(factors, wide_head) : wide_head, c.targets, rules);
  (right / 30).backward();
  const LossResult ours = loss(hidden, head);
  ours.loss.backward();
  EXPECT_LT(worst(ours.loss, right / 30), 1e-6);
  EXPECT_LT(worst(hidden.grad(), wide_hidden.grad()), 1e-5);
  EXPECT_LT(worst(head.grad(), wide_head.grad()), 1e-5);
  // What is reported stays -log p.
  const at::Tensor surprise =
      plain::cross_entropy(c.hidden, factors.on() ? written_out(factors, c.head) : c.head,
                           c.targets, 1)
          .per_token;
  EXPECT_LT(worst(ours.per_token, surprise), 1e-6);
}

std::vector<LossRules> all_rules(const at::Tensor& weights) {
  return {{},
          {.label_smoothing = 0.1},
          {.z_loss = 0.01},
          {.weights = weights},
          {.label_smoothing = 0.2, .z_loss = 0.003, .weights = weights}};
}

TEST(LossRules, are_their_definition_on_cpus) {
  const Case c = Case::random(53);
  for (const LossRules& rules : all_rules(c.weights)) {
    for (const int64_t chunk : {7, 1000})
      expect_defined(c, {}, rules, [&](const at::Tensor& hidden, const at::Tensor& head) {
        return cross_entropy(hidden, head, c.targets, 1.0 / 30, chunk, {}, rules);
      });
    expect_defined(c, {}, rules, [&](const at::Tensor& hidden, const at::Tensor& head) {
      return plain::cross_entropy(hidden, head, c.targets, 1.0 / 30, rules);
    });
  }
}

TEST(LossRules, are_their_definition_over_sums_of_rows) {
  const TableFactors factors{.text_rows = 11, .codebooks = 2, .levels = {3, 4}};
  Case c = Case::random(factors.ids());
  c.head = at::randn({factors.rows(), 12});
  for (const LossRules& rules : all_rules(c.weights))
    expect_defined(c, factors, rules, [&](const at::Tensor& hidden, const at::Tensor& head) {
      return cross_entropy(hidden, head, c.targets, 1.0 / 30, 16, factors, rules);
    });
}

TEST(LossRules, are_their_definition_where_kernels_would_run) {
  const Case c = Case::random(53);
  for (const LossRules& rules : all_rules(c.weights))
    expect_defined(c, {}, rules, [&](const at::Tensor& hidden, const at::Tensor& head) {
      return device::cross_entropy(cuda::twin_kernels(), hidden, head, c.targets, 1.0 / 30, 16,
                                   rules);
    });
}

TEST(LossRules, weights_must_be_one_for_each_element) {
  const Case c = Case::random(53);
  EXPECT_THROW(cross_entropy(c.hidden, c.head, c.targets, 1, 8, {}, {.weights = at::ones({3})}),
               Error);
}

TokenLayout layout() {
  Lfm2Config config;
  config.vocab_size = 650;
  config.audio_tokens_start = 410;
  return TokenLayout::of(config);
}

/// Of this process: the largest resident set since `forget_peak`, in bytes.
int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

// training.md 20, step 4: all logits of these elements would be 10.6 GB, and their gradients again.
TEST(ChunkedLoss, never_holds_the_logits_of_a_whole_batch) {
  constexpr int64_t kElements = 32'768, kRows = 80'538;
  at::manual_seed(1);
  const at::Tensor hidden = at::randn({kElements, 16}).set_requires_grad(true);
  const at::Tensor head = at::randn({kRows, 16}).set_requires_grad(true);
  const at::Tensor targets = at::randint(0, kRows, {kElements}, at::kLong);
  forget_peak();
  const int64_t before = peak_bytes();
  ASSERT_GT(before, 0);
  const LossResult result =
      cross_entropy(hidden, head, targets, 1.0 / kElements, TrainConfig().loss_chunk);
  result.loss.backward();
  EXPECT_LT(peak_bytes() - before, int64_t{1} << 30);
  EXPECT_GT(head.grad().abs().max().item<double>(), 0);
  // Of products of standard normals: log of the sum of exp(x), x of variance 16, and something.
  EXPECT_NEAR(result.loss.item<double>(), std::log(double{kRows}) + 8, 3);
}

TEST(LossWeights, follow_from_what_a_target_is) {
  const TokenLayout l = layout();
  const LossWeights weights({{"text", 0.5}, {"control", 3}, {"codebook_1", 2}}, l);
  EXPECT_TRUE(weights.on());
  EXPECT_EQ(weights.of(5), 0.5);
  EXPECT_EQ(weights.of(l.end_of_speech), 3);
  EXPECT_EQ(weights.of(l.audio_id(0, 3)), 1);
  EXPECT_EQ(weights.of(l.audio_id(1, 3)), 2);
  EXPECT_EQ(weights.of(kNoTarget), 0);
  EXPECT_EQ(weights.sum({5, kNoTarget, l.audio_id(1, 0)}), 2.5);
  EXPECT_FALSE(LossWeights({}, l).on());
  EXPECT_THROW(LossWeights({{"codebook_4", 1}}, l), Error);
  EXPECT_THROW(LossWeights({{"words", 1}}, l), Error);
  std::map<std::string, double> none{{"text", 0}, {"control", 0}};
  for (int k = 0; k < 4; ++k) none[concat("codebook_", k)] = 0;
  EXPECT_THROW(LossWeights(none, l), Error);
}

TEST(LossWeights, without_loss_on_text_only_codes_and_their_end_are_targets) {
  const TokenLayout l = layout();
  TrainingClip clip;
  clip.text = {1, 20, 21, 2};
  clip.codes = {3, 1, 4, 1, 5, 9, 2, 6};
  SequenceRules rules;
  PackedBatch all, speech;
  const std::vector<float> voice(4, 1.0F);
  all.add(l, rules, clip_ids(l, clip, rules), voice, 0);
  rules.loss_on_text = false;
  speech.add(l, rules, clip_ids(l, clip, rules), voice, 0);
  speech.add(l, rules, clip_ids(l, clip, rules), {}, 1);
  EXPECT_EQ(speech.target_count, 2 * (8 + 2)) << "codes, END_OF_SPEECH, END_OF_AI";
  for (size_t n = 0; n < all.targets.size(); ++n) {
    const bool before = static_cast<int64_t>(n) < all.speech[0].begin;
    EXPECT_EQ(speech.targets[n], before ? kNoTarget : all.targets[n]) << n;
  }
}

class LossRun : public RunTest {};

TEST_F(LossRun, equal_weights_are_no_weights_and_other_rules_train_too) {
  const auto losses = [&](const std::string& out, const std::function<void(TrainConfig&)>& change) {
    TrainConfig c = config(out);
    change(c);
    Trainer trainer(c, false);
    std::vector<double> found;
    while (!trainer.done()) found.push_back(trainer.step().loss);
    return found;
  };
  const auto plain = losses("plain", [](TrainConfig&) {});
  const auto equal = losses("equal", [](TrainConfig& c) {
    c.loss_weights = {"text=2",       "control=2",    "codebook_0=2",
                      "codebook_1=2", "codebook_2=2", "codebook_3=2"};
  });
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(equal[i], plain[i], 2e-5) << i;
  const auto rules = losses("rules", [](TrainConfig& c) {
    c.label_smoothing = 0.1;
    c.z_loss = 1e-4;
    c.sequence.loss_on_text = false;
    c.loss_weights = {"codebook_0=2"};
  });
  EXPECT_LT(rules.back(), rules.front());
  EXPECT_GT(std::abs(rules[0] - plain[0]), 1e-3);
}

}  // namespace
}  // namespace kani::train
