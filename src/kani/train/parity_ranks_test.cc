// parity_ranks_test.cc - upstream's rules with several processes: its batches, its updates, its
// mean over ranks (training.md 6.3, 8.2, 8.3).  What is expected is computed here from the clips.
#include <ATen/CPUGeneratorImpl.h>

#include <thread>

#include "kani/train/ops_plain.h"
#include "kani/train/test_port.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

class ParityRanks : public RunTest {
 protected:
  static constexpr int64_t kBatch = 4, kMicroBatches = 3;

  TrainConfig parity_config() const {
    TrainConfig c = config("out");
    c.parity = true;
    c.per_device_train_batch_size = kBatch;
    c.gradient_accumulation_steps = kMicroBatches;
    c.num_train_epochs = 3;
    c.max_steps = 0;
    c.threads = 1;
    return c;
  }

  // A thread for each rank; what the first one says of its updates, and how many there would be.
  struct Seen {
    int64_t total = 0;
    std::vector<UpdateReport> reports;
  };
  static Seen run(const TrainConfig& c, int ranks, int updates) {
    Seen seen;
    const int port = free_port();
    std::vector<std::thread> threads;
    std::vector<std::string> failures(static_cast<size_t>(ranks));
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          Trainer trainer(c, false, false, {.rank = rank, .size = ranks, .master_port = port});
          for (int i = 0; i < updates; ++i) {
            const UpdateReport report = trainer.step();
            if (rank == 0) seen.reports.push_back(report);
          }
          if (rank == 0) seen.total = trainer.total_updates();
        } catch (const std::exception& error) {
          failures[static_cast<size_t>(rank)] = error.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& failure : failures) EXPECT_EQ(failure, "");
    return seen;
  }

  // The first update of two ranks as upstream's trainer has it: rank r gets batches r, r + 2, …,
  // divides by its own labels, and the ranks are averaged; or all by all labels.
  struct Expected {
    double loss, norm;
  };
  Expected first_update(bool over_all) const {
    Lfm2Module model = load_module(folder_ / "base");
    const TokenLayout layout = TokenLayout::of(model.config());
    const ClipSet clips({folder_ / "data.kshard"}, layout);
    const SequenceRules rules{.drop_repeated_frames = true};
    const at::Tensor order = at::randperm(static_cast<int64_t>(clips.size()),
                                          at::make_generator<at::CPUGeneratorImpl>(uint64_t{42}));
    std::vector<at::Tensor> sums;
    std::vector<int64_t> labels;
    for (int64_t rank = 0; rank < 2; ++rank) {
      sums.push_back(at::zeros({}));
      labels.push_back(0);
      for (int64_t micro = 0; micro < kMicroBatches; ++micro) {
        PackedBatch batch;
        for (int64_t i = 0; i < kBatch; ++i) {
          const auto place = order[(micro * 2 + rank) * kBatch + i].item<int64_t>();
          const TrainingClip clip = clips.clip(static_cast<size_t>(place));
          const std::vector<int32_t> ids = clip_ids(layout, clip, rules);
          labels.back() += static_cast<int64_t>(ids.size());
          batch.add(layout, rules, ids, clip.voice, place);
        }
        sums.back() =
            sums.back() + plain::cross_entropy(model.forward(batch), model.head(),
                                               at::tensor(at::IntArrayRef(batch.targets)), 1)
                              .loss;
      }
    }
    EXPECT_NE(labels[0], labels[1]);  // else there is nothing to tell apart
    const at::Tensor loss = over_all
                                ? (sums[0] + sums[1]) / static_cast<double>(labels[0] + labels[1])
                                : (sums[0] / static_cast<double>(labels[0]) +
                                   sums[1] / static_cast<double>(labels[1])) /
                                      2;
    loss.backward();
    double squares = 0;
    for (const auto& [name, parameter] : model.parameters()) {
      if (parameter.grad().defined())
        squares += parameter.grad().to(at::kDouble).square().sum().item<double>();
    }
    return {loss.item<double>(), std::sqrt(squares)};
  }
};

TEST_F(ParityRanks, an_update_is_batch_times_accumulation_of_each_rank) {
  // 38 clips: 10 batches of 4; 5 for each of two ranks, 4 for each of three.
  EXPECT_EQ(run(parity_config(), 1, 0).total, 3 * 4);
  EXPECT_EQ(run(parity_config(), 2, 0).total, 3 * 2);
  TrainConfig c = parity_config();
  c.gradient_accumulation_steps = 1;
  EXPECT_EQ(run(c, 3, 0).total, 3 * 4);
  c.parity = false;
  c.packing = Packing::kNone;
  EXPECT_EQ(run(c, 2, 0).total, 3 * 10);  // ours: the same with any number of processes
}

TEST_F(ParityRanks, ranks_are_averaged_whatever_their_labels) {
  const Seen seen = run(parity_config(), 2, 2);
  const Expected expected = first_update(/*over_all=*/false);
  ASSERT_EQ(seen.reports.size(), 2u);
  EXPECT_NEAR(seen.reports[0].loss, expected.loss, 3e-6);
  EXPECT_NEAR(seen.reports[0].grad_norm, expected.norm, 1e-5);
  EXPECT_EQ(seen.reports[0].epoch, 0.6);
  EXPECT_EQ(seen.reports[1].epoch, 1);  // what is left: two batches of each
}

TEST_F(ParityRanks, average_tokens_across_devices_divides_by_all_labels) {
  TrainConfig c = parity_config();
  c.average_tokens_across_devices = true;
  const Seen seen = run(c, 2, 1);
  const Expected all = first_update(/*over_all=*/true), own = first_update(/*over_all=*/false);
  ASSERT_EQ(seen.reports.size(), 1u);
  EXPECT_NEAR(seen.reports[0].loss, all.loss, 3e-6);
  EXPECT_NEAR(seen.reports[0].grad_norm, all.norm, 1e-5);
  EXPECT_GT(std::abs(all.loss - own.loss), 3e-5);
}

}  // namespace
}  // namespace kani::train
