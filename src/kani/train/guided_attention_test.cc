// guided_attention_test.cc - the penalty: by hand, its derivative by differences, through the
// network, and where it is zero.
#include "kani/train/guided_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/base/error.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

Lfm2Config three_attention_layers() {
  Lfm2Config config;
  config.layers = {LayerKind::kAttention, LayerKind::kConv, LayerKind::kAttention,
                   LayerKind::kAttention};
  return config;
}

// Two documents: 2 elements before the text, text, 3 between, speech, 1 behind.
std::vector<Speech> two_documents() { return {{0, 2, 5, 8, 13}, {14, 16, 18, 21, 24}}; }
constexpr int64_t kElements = 25;

// From its definition, in plain loops.
double by_hand(const at::Tensor& q, const at::Tensor& k, const std::vector<Speech>& speech,
               double width) {
  double sum = 0;
  for (const Speech& s : speech) {
    for (int64_t n = s.begin; n < s.end; ++n) {
      std::vector<double> powers;
      double total = 0;
      for (int64_t j = s.start; j <= n; ++j) {
        const double score =
            (q[n][0] * k[j][0]).sum().item<double>() / std::sqrt(static_cast<double>(q.size(2)));
        powers.push_back(std::exp(score));
        total += powers.back();
      }
      for (int64_t j = s.start; j <= n; ++j) {
        double cost = 0.6;
        if (j >= s.text_begin && j < s.text_end) {
          const double f = (static_cast<double>(n - s.begin) + 0.5) /
                           static_cast<double>(s.end - s.begin),
                       t = (static_cast<double>(j - s.text_begin) + 0.5) /
                           static_cast<double>(s.text_end - s.text_begin);
          cost = 1 - std::exp(-(f - t) * (f - t) / (2 * width * width));
        }
        sum += powers[static_cast<size_t>(j - s.start)] / total * cost;
      }
    }
  }
  return sum;
}

TEST(GuidedAttention, is_what_its_definition_says) {
  at::manual_seed(1);
  const auto speech = two_documents();
  const at::Tensor q = at::randn({kElements, 4, 6}), k = at::randn({kElements, 2, 6});
  AttentionGuide guide(three_attention_layers(), 0.12, speech);
  EXPECT_FALSE(guide.guides(0));
  EXPECT_FALSE(guide.guides(1));
  EXPECT_TRUE(guide.guides(2));
  EXPECT_TRUE(guide.guides(3));
  guide.look_at(q, k);
  guide.look_at(q, k);  // two layers, the mean of which is meant
  EXPECT_NEAR(guide.penalty().item<double>(), by_hand(q, k, speech, 0.12), 1e-5);
  EXPECT_EQ(AttentionGuide::positions(speech), 5 + 3);
}

TEST(GuidedAttention, its_gradient_is_that_of_differences) {
  at::manual_seed(2);
  const auto speech = two_documents();
  at::Tensor q = at::randn({kElements, 2, 4}, at::kDouble).set_requires_grad(true);
  at::Tensor k = at::randn({kElements, 1, 4}, at::kDouble).set_requires_grad(true);
  const auto penalty = [&] {
    AttentionGuide guide(three_attention_layers(), 0.12, speech);
    guide.look_at(q, k);
    return guide.penalty();
  };
  penalty().backward();
  EXPECT_EQ(q.grad().select(1, 1).abs().max().item<double>(), 0) << "the second head is free";
  at::NoGradGuard no_grad;
  for (at::Tensor* x : {&q, &k}) {
    at::Tensor flat = x->view({-1});
    for (int64_t i = 0; i < flat.size(0); i += 3) {
      const auto value = [&](double by) {
        flat[i] += by;
        const double sum = penalty().item<double>();
        flat[i] -= by;
        return sum;
      };
      EXPECT_NEAR(x->grad().view({-1})[i].item<double>(), (value(1e-5) - value(-1e-5)) / 2e-5,
                  1e-8);
    }
  }
}

TEST(GuidedAttention, on_the_diagonal_it_is_small_and_elsewhere_not) {
  const std::vector<Speech> speech{{0, 1, 11, 12, 22}};
  at::Tensor q = at::zeros({22, 1, 10}), k = at::zeros({22, 1, 10});
  for (int64_t i = 0; i < 10; ++i) {
    q[12 + i][0][i] = 100;
    k[1 + i][0][i] = 1;
  }
  const auto mean = [&] {
    AttentionGuide guide(three_attention_layers(), 0.12, speech);
    guide.look_at(q, k);
    guide.look_at(q, k);
    return guide.penalty().item<double>() / 10;
  };
  EXPECT_LT(mean(), 1e-3);
  q.copy_(q.flip({2}));
  EXPECT_GT(mean(), 0.7);
  k.zero_();
  k[0][0].fill_(1);  // all look at the first element, which is no text
  EXPECT_NEAR(mean(), 0.6, 1e-3);
}

TEST(GuidedAttention, falls_to_nothing) {
  const GuideSettings settings{.weight = 2, .steps = 10};
  EXPECT_EQ(settings.weight_at(0), 2);
  EXPECT_EQ(settings.weight_at(5), 1);
  EXPECT_EQ(settings.weight_at(10), 0);
  EXPECT_EQ(settings.weight_at(1000), 0);
  EXPECT_EQ(GuideSettings{}.weight_at(0), 0);
}

TEST(GuidedAttention, a_model_with_one_attention_layer_has_none_to_guide) {
  Lfm2Config config;
  config.layers = {LayerKind::kConv, LayerKind::kAttention};
  EXPECT_THROW(AttentionGuide(config, 0.12, {}), Error);
}

TEST(GuidedAttention, a_batch_knows_where_its_speech_is) {
  Lfm2Config config;
  config.vocab_size = 650;
  config.audio_tokens_start = 410;
  const TokenLayout layout = TokenLayout::of(config);
  TrainingClip clip;
  clip.text = {1, 20, 33, 40};
  for (int i = 0; i < 8; ++i) clip.codes.push_back(i);
  PackedBatch batch;
  const std::vector<float> voice(16);
  batch.add(layout, {}, clip_ids(layout, clip, {}), voice, 0);
  batch.add(layout, {}, clip_ids(layout, clip, {}), {}, 1);
  ASSERT_EQ(batch.speech.size(), 2u);
  for (const Speech& s : batch.speech) {
    const auto id = [&](int64_t n) { return batch.ids[static_cast<size_t>(n)]; };
    EXPECT_EQ(id(s.start), layout.start_of_human);
    EXPECT_EQ(id(s.text_begin), 20);
    EXPECT_EQ(id(s.text_end), layout.end_of_text);
    EXPECT_EQ(id(s.begin), layout.start_of_speech);
    EXPECT_EQ(id(s.end), layout.end_of_speech);
    EXPECT_EQ(s.end - s.begin, 9);
    for (int64_t n = s.begin; n < s.end; ++n)
      EXPECT_TRUE(batch.targets[static_cast<size_t>(n)] >= 410 ||
                  batch.targets[static_cast<size_t>(n)] == layout.end_of_speech);
  }
}

class GuidedRun : public RunTest {};

TEST_F(GuidedRun, the_alignment_is_learnt_and_recomputing_changes_nothing) {
  TrainConfig c = config("out");
  c.max_steps = 60;
  c.optimizer.learning_rate = 3e-3;
  c.guide = {.weight = 5, .steps = 1000, .width = 0.12};
  Trainer trainer(c, false);
  c.gradient_checkpointing = true;
  c.output_dir = folder_ / "again";
  Trainer again(c, false);
  const UpdateReport first = trainer.step();
  EXPECT_EQ(again.step().grad_norm, first.grad_norm);
  UpdateReport last;
  while (!trainer.done()) last = trainer.step();
  EXPECT_GT(*first.guide, 0.4);
  EXPECT_LT(*last.guide, 0.7 * *first.guide);
}

}  // namespace
}  // namespace kani::train
