// trainer_begin_test.cc - what is told of a run that cannot go on, or that is too short to learn.
#include <fstream>

#include "kani/base/log.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

using TrainerBeginTest = RunTest;

// What is warned of meanwhile, a line each.
std::string warnings_of(const std::function<void()>& action) {
  std::string out;
  set_log_sink(
      [&](LogLevel, std::string_view, std::string_view line) { out += std::string(line) + "\n"; });
  action();
  set_log_sink({});
  return out;
}

TEST_F(TrainerBeginTest, T4_who_cannot_go_on_is_told_how) {
  const auto hint = [](const TrainConfig& c) -> std::string {
    try {
      Trainer(c, /*resume=*/true);
    } catch (const Error& error) {
      return error.hint();
    }
    return "";
  };
  EXPECT_NE(hint(config("out")).find("without --resume"), std::string::npos);
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.save();
  TrainConfig c = config("out");
  c.seed = 1;
  const std::string settings = *find_checkpoint(folder_ / "out") / "config.resolved.yaml";
  EXPECT_NE(hint(c).find("--config " + settings), std::string::npos) << hint(c);
  // The last one is damaged: nothing else is promised.
  std::ofstream(*find_checkpoint(folder_ / "out") / "state.json", std::ios::app) << " ";
  const std::string told = warnings_of([&] { EXPECT_FALSE(find_checkpoint(folder_ / "out")); });
  EXPECT_NE(told.find("there is no checkpoint before it"), std::string::npos) << told;
}

TEST_F(TrainerBeginTest, a_run_too_short_to_learn_is_told) {
  TrainConfig c = config("out");
  const std::string fine = warnings_of([&] { Trainer(c, false); });
  EXPECT_EQ(fine.find("update"), std::string::npos) << fine;
  c.optimizer.warmup_steps = 12;
  const std::string warm = warnings_of([&] { Trainer(c, false); });
  EXPECT_NE(warm.find("warmup_steps is 12 and the run has 12 updates"), std::string::npos) << warm;
  c.optimizer.warmup_steps = 0;
  c.max_steps = 0;
  c.num_train_epochs = 1;
  c.batch_tokens = 1 << 20;
  const std::string few = warnings_of([&] { Trainer(c, false); });
  EXPECT_NE(few.find("make 1 update, too few"), std::string::npos) << few;
}

}  // namespace
}  // namespace kani::train
