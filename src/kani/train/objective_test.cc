// objective_test.cc - what a run minimizes is what its keys say, in training and in validation: the
// loss over what is due, upstream's batches that have a voice for each clip or none.
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

class ObjectiveTest : public RunTest {
 protected:
  TrainConfig due_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.valid_data = c.data;
    c.audio_softmax = "due";
    return c;
  }
};

TEST_F(ObjectiveTest, a_loss_over_what_is_due_is_trained_and_validated) {
  TrainConfig c = due_config("due");
  Trainer due(c, false);
  c.audio_softmax = "all";
  c.output_dir = folder_ / "all";
  Trainer all(c, false);
  const EvalReport over_due = *due.evaluate(), over_all = *all.evaluate();
  ASSERT_TRUE(over_due.full_loss.has_value());
  EXPECT_FALSE(over_all.full_loss.has_value());
  EXPECT_EQ(*over_due.full_loss, over_all.loss);
  EXPECT_EQ(over_due.text_loss, over_all.text_loss);
  EXPECT_EQ(over_due.figures, over_all.figures);
  // Nothing is learnt yet: about as many ids as there are to choose from.
  EXPECT_GT(over_all.codebook_loss[1], over_due.codebook_loss[1] + 1);
  EXPECT_EQ(eval_figures(over_due).at("eval_full_loss"), over_all.loss);
  EXPECT_FALSE(eval_figures(over_all).contains("eval_full_loss"));
  EvalReport worse = over_due;
  worse.loss = over_due.loss + 0.1;
  due.begin_save(over_due.loss);
  due.finish_save();
  EXPECT_FALSE(due.is_best(worse)) << "less than over all ids, and yet no gain";
  EXPECT_LT(worse.loss, over_all.loss);
  EXPECT_LT(due.step().loss, all.step().loss - 0.5);
}

TEST_F(ObjectiveTest, T1_a_run_over_what_is_due_goes_on_bit_for_bit) {
  TrainConfig c = due_config("whole");
  Trainer whole(c, false);
  std::vector<double> losses;
  while (!whole.done()) losses.push_back(whole.step().loss);
  whole.save();
  c.output_dir = folder_ / "part";
  {
    Trainer part(c, false);
    for (int i = 0; i < 5; ++i) part.step();
    part.save();
  }
  Trainer again(c, true);
  for (size_t i = 5; i < 12; ++i) EXPECT_EQ(again.step().loss, losses[i]) << i;
  again.save();
  EXPECT_EQ(weights(c.output_dir), weights(folder_ / "whole"));
  c.audio_softmax = "all";
  EXPECT_THROW(Trainer(c, true), Error) << "another loss is another run";
}

// The collator gives a batch voices only if every clip has one (training.md 6.1).
TEST_F(ObjectiveTest, with_parity_a_clip_without_a_voice_takes_those_of_its_batch) {
  const auto loss_of = [&](const char* out, bool parity, const std::function<bool(size_t)>& mute) {
    write_shard(folder_ / "data.kshard", [&](TrainingClip& clip, size_t i) {
      if (mute(i)) clip.voice.clear();
    });
    TrainConfig c = config(out);
    c.parity = parity;
    c.packing = Packing::kNone;
    c.per_device_train_batch_size = 38;  // all clips
    c.gradient_accumulation_steps = 1;
    return Trainer(c, false).step().loss;
  };
  const auto one = [](size_t i) { return i == 7; };
  const auto all = [](size_t) { return true; };
  const auto none = [](size_t) { return false; };
  EXPECT_EQ(loss_of("a", true, one), loss_of("b", true, all));
  EXPECT_NE(loss_of("c", true, one), loss_of("d", true, none));
  EXPECT_NE(loss_of("e", false, one), loss_of("f", false, all));
}

TEST_F(ObjectiveTest, an_update_counts_its_clips) {
  TrainConfig c = config("out");
  c.num_train_epochs = 1;
  c.max_steps = 0;
  Trainer trainer(c, false);
  int64_t clips = 0;
  while (!trainer.done()) clips += trainer.step().documents;
  EXPECT_EQ(clips, 38);
}

}  // namespace
}  // namespace kani::train
