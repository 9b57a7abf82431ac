// replay_test.cc - old clips beside the new ones: as many as was said, others in each epoch.
#include <set>

#include "kani/train/test_run.h"

namespace kani::train {
namespace {

class ReplayTest : public RunTest {
 protected:
  // 38 new clips of two languages, as many old ones.
  void SetUp() override {
    RunTest::SetUp();
    write_shard(folder_ / "data.kshard",
                [](TrainingClip& clip, size_t i) { clip.language = i < 19 ? "ky" : "tr"; });
    write_shard(folder_ / "old.kshard", [](TrainingClip& clip, size_t) { clip.language = "en"; });
  }
  // An update is an epoch.
  TrainConfig replay_config(double share) const {
    TrainConfig c = config("out");
    c.replay_data = {folder_ / "old.kshard"};
    c.replay_share = share;
    c.batch_tokens = 1 << 20;
    return c;
  }
  // The clips of an epoch, from an update that is left out and therefore names them.
  static std::vector<std::string> clips_of_epoch(Trainer& trainer) {
    at::NoGradGuard no_grad;
    trainer.model().parameters().at("model.embedding_norm.weight")[0] = NAN;
    const UpdateReport report = [&] {
      const at::AutoGradMode grad(true);
      return trainer.step();
    }();
    EXPECT_TRUE(report.skipped);
    return report.clips;
  }
  static std::set<std::string> old_ones(const std::vector<std::string>& clips) {
    std::set<std::string> out;
    for (const std::string& clip : clips) {
      if (clip.find("old") == std::string::npos) continue;
      EXPECT_TRUE(out.insert(clip).second) << clip;
    }
    return out;
  }
};

TEST_F(ReplayTest, an_epoch_has_all_new_clips_and_its_share_of_old_ones) {
  Trainer trainer(replay_config(0.25), false);
  EXPECT_EQ(trainer.replay_clips(), 38u);
  EXPECT_NEAR(trainer.language_shares().at("en"), 0.25, 1e-9);
  EXPECT_NEAR(trainer.language_shares().at("ky"), 0.375, 1e-9);
  const auto first = clips_of_epoch(trainer), second = clips_of_epoch(trainer);
  EXPECT_EQ(old_ones(first).size(), 13u);  // 38 / 3
  EXPECT_EQ(first.size() - old_ones(first).size(), 38u);
  EXPECT_EQ(old_ones(second).size(), 13u);
  EXPECT_NE(old_ones(first), old_ones(second));
}

TEST_F(ReplayTest, a_large_share_repeats_old_clips) {
  Trainer trainer(replay_config(0.75), false);
  EXPECT_EQ(clips_of_epoch(trainer).size(), 4 * 38u);
}

TEST_F(ReplayTest, without_it_nothing_changes) {
  Trainer trainer(config("out"), false);
  EXPECT_EQ(trainer.replay_clips(), 0u);
  EXPECT_FALSE(trainer.language_shares().contains("en"));
}

TEST_F(ReplayTest, settings_that_make_no_sense_are_refused) {
  for (const double share : {0.0, 1.0, -0.5})
    EXPECT_THROW(Trainer(replay_config(share), false), Error) << share;
  TrainConfig c = config("out");
  c.replay_share = 0.5;  // of nothing
  EXPECT_THROW(Trainer(c, false), Error);
  c = replay_config(0.5);
  c.parity = true;
  EXPECT_THROW(Trainer(c, false), Error);
}

}  // namespace
}  // namespace kani::train
