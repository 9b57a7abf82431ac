// A run as a whole: it learns to tell speakers apart, goes on bit for bit, and refuses what is not
// its own.
#include "kani/train/speaker/speaker_trainer.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/train/speaker/test_voices.h"

namespace kani::train {
namespace {

class SpeakerTrainerTest : public VoicesTest {
 protected:
  SpeakerTrainConfig config(const std::string& out) const {
    SpeakerTrainConfig c;
    c.model.hidden_size = 16;
    c.model.layers = 1;
    c.model.heads = 2;
    c.model.intermediate_size = 32;
    c.model.conv_dims.assign(7, 8);
    c.model.position_kernel = 8;
    c.model.position_groups = 4;
    c.model.head_width = 24;
    c.model.embedding_size = 16;
    c.optimizer.total_steps = 12;
    c.optimizer.warmup_steps = 4;
    c.data = {(folder_ / "data").string()};
    c.valid_data = {(folder_ / "strangers").string()};
    c.output_dir = (folder_ / out).string();
    c.batch_size = 8;
    c.min_seconds = 0.3;
    c.max_seconds = 0.6;
    c.eval_seconds = 0.5;
    return c;
  }
  static std::vector<double> run(SpeakerTrainer& trainer, int64_t until) {
    std::vector<double> losses;
    while (trainer.update() < until) losses.push_back(trainer.step().loss);
    return losses;
  }
  static void expect_same(SpeakerTrainer& a, SpeakerTrainer& b) {
    for (const auto& [name, tensor] : a.module().parameters())
      EXPECT_TRUE(at::equal(tensor, b.module().parameters().at(name))) << name;
    for (const auto& [name, tensor] : a.module().buffers())
      EXPECT_TRUE(at::equal(tensor, b.module().buffers().at(name))) << name;
  }
};

TEST_F(SpeakerTrainerTest, resumed_it_ends_with_the_same_bits) {
  SpeakerTrainer whole(config("whole"), false);
  const std::vector<double> losses = run(whole, 12);
  {
    SpeakerTrainer first(config("parts"), false);
    run(first, 5);
    first.save();
    run(first, 7);  // lost
  }
  SpeakerTrainer second(config("parts"), true);
  EXPECT_EQ(second.update(), 5);
  const std::vector<double> rest = run(second, 12);
  EXPECT_EQ(rest, std::vector<double>(losses.begin() + 5, losses.end()));
  expect_same(whole, second);
  EXPECT_TRUE(second.done());
  whole.save();
  second.save();
  const auto bytes = [&](const char* out) {
    return read_file(folder_ / out / "step-00000012" / "run.safetensors", 1 << 24);
  };
  EXPECT_EQ(bytes("whole"), bytes("parts"));
}

TEST_F(SpeakerTrainerTest, a_damaged_checkpoint_gives_way_to_the_one_before) {
  {
    SpeakerTrainer trainer(config("run"), false);
    for (const int64_t until : {2, 4, 6, 8}) {
      run(trainer, until);
      trainer.save();
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run" / "step-00000002"));
  const auto newest = folder_ / "run" / "step-00000008" / "run.safetensors";
  std::string bytes = read_file(newest, 1 << 24);
  bytes[bytes.size() / 2] ^= 1;
  write_file(newest, bytes);
  EXPECT_EQ(SpeakerTrainer(config("run"), true).update(), 6);
}

TEST_F(SpeakerTrainerTest, other_data_or_settings_are_refused_unless_forced) {
  {
    SpeakerTrainer trainer(config("run"), false);
    run(trainer, 1);
    trainer.save();
  }
  SpeakerTrainConfig other = config("run");
  other.margin = 0.3;
  EXPECT_THROW(SpeakerTrainer(other, true), Error);
  EXPECT_EQ(SpeakerTrainer(other, true, /*force=*/true).update(), 1);
  std::filesystem::remove(folder_ / "data" / "s3" / "1.wav");
  EXPECT_THROW(SpeakerTrainer(config("run"), true), Error);
}

TEST_F(SpeakerTrainerTest, a_speaker_is_on_one_side_only) {
  SpeakerTrainConfig both = config("run");
  both.valid_data = both.data;
  EXPECT_THROW(SpeakerTrainer(both, false), Error);
}

TEST_F(SpeakerTrainerTest, learns_to_tell_speakers_apart_that_it_never_heard) {
  SpeakerTrainConfig c = config("run");
  c.optimizer.total_steps = 150;
  c.optimizer.learning_rate = 5e-3;
  c.batch_size = 16;
  c.noise_share = 0;
  SpeakerTrainer trainer(c, false);
  const SpeakerScores before = trainer.evaluate();
  double first = 0, last = 0, hits = 0;
  while (!trainer.done()) {
    const SpeakerUpdateReport report = trainer.step();
    if (report.update <= 10) first += report.loss / 10;
    if (report.update > 140) last += report.loss / 10, hits += report.hits / 10;
  }
  EXPECT_LT(last, first - 0.5);
  EXPECT_GT(hits, 0.5);  // one of eight by chance
  const SpeakerScores after = trainer.evaluate();
  EXPECT_EQ(after.same_pairs, 4 * 3u);
  EXPECT_GT(after.same_mean - after.other_mean, before.same_mean - before.other_mean);
  EXPECT_LT(after.equal_error, 0.3);  // a half by chance
}

}  // namespace
}  // namespace kani::train
