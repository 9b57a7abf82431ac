// ranks_test.cc - several processes, here threads, do what one does, and are refused where they do
// not begin alike.  Upstream's rules for them: parity_ranks_test.cc.
#include <thread>

#include "kani/train/test_port.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class Ranks : public RunTest {
 protected:
  using Work = std::function<void(Trainer&, int rank)>;

  TrainConfig small_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.threads = 1;
    c.timeout_s = 20;
    return c;
  }

  // A thread for each configuration; what each failed with.
  static std::vector<std::string> run(const std::vector<TrainConfig>& configs, const Work& work) {
    const int port = free_port(), size = static_cast<int>(configs.size());
    std::vector<std::string> failures(configs.size());
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        const auto number = static_cast<size_t>(rank);
        try {
          Trainer trainer(configs[number], false, false,
                          {.rank = rank, .size = size, .master_port = port});
          work(trainer, rank);
        } catch (const std::exception& error) {
          failures[number] = error.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return failures;
  }
  static void expect_all(const std::vector<std::string>& failures, const std::string& words) {
    for (const std::string& failure : failures) {
      EXPECT_NE(failure.find(words), std::string::npos) << failure;
      EXPECT_EQ(failure.empty(), words.empty()) << failure;
    }
  }
};

TEST_F(Ranks, what_no_process_has_a_gradient_for_stays_as_with_one) {
  write_shard(folder_ / "data.kshard", [](TrainingClip& clip, size_t) { clip.voice.clear(); });
  TrainConfig c = small_config("out");
  c.optimizer.weight_decay = 0.1;
  std::vector<ParameterMap> ends(2);
  for (const size_t size : {1, 2}) {
    expect_all(run(std::vector<TrainConfig>(size, c),
                   [&](Trainer& trainer, int rank) {
                     for (int i = 0; i < 4; ++i) trainer.step();
                     if (rank > 0) return;
                     for (const auto& [name, value] : trainer.model().parameters())
                       ends[size - 1][name] = value.detach().clone();
                   }),
               "");
  }
  const ParameterMap begin = load_tensors(folder_ / "base" / "model.safetensors");
  size_t kept = 0;
  for (const auto& [name, value] : ends[0]) {
    EXPECT_LT((value - ends[1].at(name)).abs().max().item<double>(), 1e-5) << name;
    if (name.find("speaker") == std::string::npos) continue;
    ++kept;
    EXPECT_TRUE(ends[1].at(name).equal(begin.at(name))) << name;
  }
  EXPECT_GT(kept, 0U);
}

TEST_F(Ranks, validation_of_two_is_that_of_one) {
  TrainConfig c = small_config("out");
  c.valid_data = c.data;
  std::vector<EvalReport> reports(3);
  for (const size_t size : {1, 2}) {
    expect_all(run(std::vector<TrainConfig>(size, c),
                   [&](Trainer& trainer, int rank) {
                     reports[size - 1 + static_cast<size_t>(rank)] = *trainer.evaluate();
                   }),
               "");
  }
  const Figures one = eval_figures(reports[0]);
  EXPECT_GT(one.size(), 20U);
  for (const EvalReport& report : {reports[1], reports[2]}) {
    EXPECT_EQ(report.targets, reports[0].targets);
    const Figures two = eval_figures(report);
    ASSERT_EQ(two.size(), one.size());
    for (const auto& [name, value] : one)
      EXPECT_NEAR(two.at(name), value, 1e-6 * std::max(1.0, std::abs(value))) << name;
  }
}

TEST_F(Ranks, T5_a_signal_to_one_ends_the_validation_of_both) {
  TrainConfig c = small_config("out");
  c.valid_data = c.data;
  std::vector<bool> measured(2, true);
  expect_all(run({c, c},
                 [&](Trainer& trainer, int rank) {
                   int asked = 0;
                   const auto stop = [&] { return rank == 1 && ++asked == 2; };
                   measured[static_cast<size_t>(rank)] =
                       trainer.evaluate(/*averaged=*/false, stop).has_value();
                   trainer.step();  // both are where they were
                 }),
             "");
  EXPECT_FALSE(measured[0]);
  EXPECT_FALSE(measured[1]);
}

TEST_F(Ranks, T10_another_validation_set_is_refused) {
  const auto other = [&](TrainingClip& clip, size_t) { clip.language = "fr"; };
  write_shard(folder_ / "other.kshard", other);
  std::vector<TrainConfig> both(2, small_config("out"));
  fs::create_directories(folder_ / "set");
  both[0].valid_data = both[1].valid_data = {folder_ / "data.kshard"};
  both[1].valid_data = {folder_ / "other.kshard"};
  expect_all(run(both, [](Trainer&, int) {}), "ranks 1 have other validation data");
}

TEST_F(Ranks, T10_another_base_is_refused) {
  std::vector<TrainConfig> both(2, small_config("out"));
  fs::copy(folder_ / "base", folder_ / "changed");
  ParameterMap weights = load_tensors(folder_ / "base" / "model.safetensors");
  weights.begin()->second = weights.begin()->second + 1;
  save_parameters(folder_ / "changed" / "model.safetensors", weights);
  both[1].model_id = folder_ / "changed";
  const std::vector<std::string> failures = run(both, [](Trainer&, int) {});
  expect_all(failures, "ranks 1 have other weights");
}

TEST_F(Ranks, T7_a_clip_that_one_cannot_read_leaves_the_update_of_both_out) {
  const fs::path shard = folder_ / "data.kshard";
  const auto size = fs::file_size(shard);
  const TrainConfig c = small_config("out");
  std::vector<UpdateReport> reports(2);
  expect_all(run({c, c},
                 [&](Trainer& trainer, int rank) {
                   trainer.step();
                   trainer.anywhere(false);
                   if (rank == 1) fs::resize_file(shard, size / 2);
                   trainer.anywhere(false);
                   reports[static_cast<size_t>(rank)] = trainer.step();
                   EXPECT_EQ(trainer.state().skipped, 1);
                 }),
             "");
  for (const UpdateReport& report : reports) {
    EXPECT_TRUE(report.skipped);
    EXPECT_FALSE(report.clips.empty());
    EXPECT_EQ(report.elements, 0);
  }
  EXPECT_NE(concat(reports[0].skip_reason, reports[1].skip_reason).find("data.kshard"),
            std::string::npos);
}

}  // namespace
}  // namespace kani::train
