// metrics_test.cc - figures held against what was counted by hand: hits, ends of speech, factors of
// RoPE.  Those that upstream measured: golden_test.cc.
#include "kani/train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/train/evaluation.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

// A layout of 8 text ids, ten control ids and two codebooks of 12: 42 ids.
Lfm2Config hand_config() {
  Lfm2Config c;
  c.vocab_size = 42;
  c.hidden_size = 42;
  c.heads = c.kv_heads = 21;
  c.head_dim = 2;
  c.audio_tokens_start = 18;
  c.tokens_per_frame = 2;
  c.use_learnable_rope = false;
  return c;
}

// A model whose head is the identity: a hidden state is its logits.
Lfm2Module identity_head() {
  ParameterMap parameters{{"model.embed_tokens.weight", at::eye(42)},
                          {"model.embedding_norm.weight", at::ones({42})}};
  return {hand_config(), std::move(parameters)};
}

class HandMade : public testing::Test {
 protected:
  // An element whose logits are 0 but for `best`, from the highest down.
  void add(int64_t target, const std::vector<int64_t>& best) {
    batch_.targets.push_back(target);
    at::Tensor logits = at::zeros({42});
    for (size_t i = 0; i < best.size(); ++i) logits[best[i]] = static_cast<double>(best.size() - i);
    rows_.push_back(logits);
  }
  CodebookMetrics measured() const {
    CodebookMetrics metrics(layout_);
    metrics.add(identity_head(), batch_, at::stack(rows_));
    return metrics;
  }
  const TokenLayout layout_ = TokenLayout::of(hand_config());
  const int64_t end_ = layout_.end_of_speech;
  PackedBatch batch_;
  std::vector<at::Tensor> rows_;
};

TEST_F(HandMade, hits_are_counted_by_codebook) {
  const int64_t a = 18, b = 30;  // first ids of the codebooks
  std::vector<int64_t> ten, eleven;
  for (int64_t i = 1; i <= 9; ++i) ten.push_back(a + i);
  eleven = ten;
  ten.push_back(a);  // the tenth
  eleven.push_back(a + 10);
  eleven.push_back(a);  // the eleventh
  add(a, {a});
  add(a, ten);
  add(a, eleven);
  add(b + 3, {b + 4, b + 3});
  add(kNoTarget, {b});
  const Figures figures = measured().perplexity();
  EXPECT_NEAR(figures.at("layer_0_top1"), 1 / 3.0, 1e-12);
  EXPECT_NEAR(figures.at("layer_0_top10"), 2 / 3.0, 1e-12);
  EXPECT_EQ(figures.at("layer_1_top1"), 0);
  EXPECT_EQ(figures.at("layer_1_top10"), 1);
  EXPECT_FALSE(figures.contains("text_ppl")) << "there was no text";
}

TEST_F(HandMade, perplexity_is_over_all_ids_and_over_the_codebooks_own) {
  const int64_t b = 30;
  add(b, {b, 2});  // 2 of text: logits 2 and 1, 0 for the 40 others
  const Figures figures = measured().perplexity();
  const double e = std::exp(1.0), e2 = std::exp(2.0);
  EXPECT_NEAR(figures.at("layer_1_ppl"), (e2 + e + 40) / e2, 1e-5);
  EXPECT_NEAR(figures.at("layer_1_slot_ppl"), (e2 + 11) / e2, 1e-5);
}

TEST_F(HandMade, ends_of_speech_are_found_and_made_up) {
  const int64_t a = 18, b = 30;
  add(end_, {end_});
  add(end_, {a, end_});
  add(end_, {end_, a});
  add(end_, {2});
  add(a, {end_, a});  // cuts speech short
  add(a + 1, {a + 1});
  add(a + 2, {b, end_});  // wrong, but no end
  add(a + 3, {a + 3, end_});
  add(a + 4, {a + 4});
  add(b, {end_});  // inside of a frame: the sampler never looks
  const Figures ends = measured().ends();
  EXPECT_EQ(ends.at("end_recall"), 0.5);
  EXPECT_EQ(ends.at("false_end_rate"), 0.2);
  const Figures nothing = CodebookMetrics(layout_).ends();
  EXPECT_EQ(nothing.at("end_recall"), 0);
}

using FactorTest = RunTest;

// alpha = alpha_min + (alpha_max - alpha_min) sigmoid(w), 0.1 to 2.
TEST_F(FactorTest, factors_and_their_spread) {
  Lfm2Module model = load_module(folder_ / "base");
  std::vector<int> layers;
  for (size_t i = 0; i < model.config().layers.size(); ++i) {
    if (model.config().layers[i] == LayerKind::kAttention) layers.push_back(static_cast<int>(i));
  }
  ASSERT_GE(layers.size(), 2U);
  double sum = 0, square = 0, least = 2, most = 0;
  std::map<int, double> factor;
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < layers.size(); ++i) {
    const double w = static_cast<double>(i) - 0.5;
    model.parameters()
        .at(concat("model.learnable_rope_layers.", layers[i], ".alpha_weight"))
        .fill_(w);
    const double value = 0.1 + 1.9 / (1 + std::exp(-w));
    factor[layers[i]] = value;
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  const double mean = sum / static_cast<double>(layers.size());
  for (const auto& [layer, value] : factor) square += (value - mean) * (value - mean);
  const Figures figures = rope_figures(model);
  EXPECT_EQ(figures.size(), 2 * layers.size() + 4);
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string name = concat("rope_alpha/layer_", layers[i]);
    EXPECT_NEAR(figures.at(name + "/value"), factor[layers[i]], 1e-6);
    EXPECT_NEAR(figures.at(name + "/raw_weight"), static_cast<double>(i) - 0.5, 1e-6);
  }
  EXPECT_NEAR(figures.at("rope_alpha/mean"), mean, 1e-6);
  EXPECT_NEAR(figures.at("rope_alpha/min"), least, 1e-6);
  EXPECT_NEAR(figures.at("rope_alpha/max"), most, 1e-6);
  EXPECT_NEAR(figures.at("rope_alpha/std"),
              std::sqrt(square / static_cast<double>(layers.size() - 1)), 1e-6);
}

using AnalyzeTest = RunTest;

// Over all elements of the clips, and only then the least and most of the layers.
TEST_F(AnalyzeTest, variances_are_of_all_clips_before_layers_are_compared) {
  const Lfm2Module model = load_module(folder_ / "base");
  const TokenLayout layout = TokenLayout::of(model.config());
  const ClipSet clips({folder_ / "data.kshard"}, layout);
  const Figures figures = analyze_clips(model, clips, layout, {}, 6);
  PackedBatch all;
  for (size_t i = 0; i < 6; ++i)
    all.add(layout, {}, clip_ids(layout, clips.clip(i), {}), clips.clip(i).voice, 0);
  for (const auto& [name, value] : attention_variance(model, all))
    EXPECT_NEAR(figures.at("variance_" + name), value, 1e-4 * value) << name;
}

}  // namespace
}  // namespace kani::train
