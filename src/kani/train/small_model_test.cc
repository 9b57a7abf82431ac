// small_model_test.cc - what a small model needs to learn from little (docs/training.md), all at
// once: from nothing, sums for rows, Muon, guided attention, wrong codes.  Runs go on bit for bit,
// files are ordinary.
#include "kani/train/ops.h"
#include "kani/train/start.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class SmallModelTest : public RunTest {
 protected:
  // The tiny model's configuration without weights.
  TrainConfig small_config(const std::string& out) const {
    fs::create_directories(folder_ / "new");
    fs::copy(folder_ / "base" / "config.json", folder_ / "new",
             fs::copy_options::overwrite_existing);
    TrainConfig c = config(out);
    c.model_id = folder_ / "new";
    c.growth.init_from_scratch = true;
    c.audio_table = "factorised";
    c.audio_levels = {"5", "4", "3"};
    c.optimizer.rule = "muon";
    c.optimizer.learning_rate = 3e-3;
    c.optimizer.weight_decay = 0.01;
    c.guide = {.weight = 1, .steps = 8, .width = 0.12};
    c.code_noise = {.digit = 0.2, .random = 0.03};
    c.ema_decay = 0.9;
    return c;
  }
};

TEST_F(SmallModelTest, from_a_configuration_alone_as_the_specification_says) {
  TrainConfig c = small_config("out");
  c.audio_table = "rows";
  const Lfm2Module model = start_model(c);
  EXPECT_EQ(model.config().audio_tokens_start, 410);
  EXPECT_EQ(model.head().size(0), 650);
  const auto deviation = [&](const char* name) {
    return model.parameter(name).detach().std().item<double>();
  };
  EXPECT_NEAR(deviation("model.embed_tokens.weight"), 0.02, 0.001);
  EXPECT_NEAR(deviation("model.layers.0.conv.conv.weight"), 0.02, 0.004);
  EXPECT_NEAR(deviation("model.layers.0.feed_forward.w1.weight"), 0.02, 0.001);
  EXPECT_NEAR(deviation("model.speaker_emb_projection.weight"), 0.02, 0.002);
  EXPECT_TRUE(model.parameter("model.embedding_norm.weight").equal(at::ones({64})));
  EXPECT_NEAR(model.rope_factor(2).item<double>(), 1, 1e-6);
  c.growth.first_train = true;
  c.growth.audio_tokens_start = 410;
  c.growth.audio_codebook_size = 60;
  EXPECT_NEAR(start_model(c).rope_factor(2).item<double>(), 1, 1e-6);
}

TEST_F(SmallModelTest, the_model_is_the_one_written_out) {
  const Lfm2Module model = start_model(small_config("out"));
  const Lfm2Module plain(model.config(), without_factors(model.rules().table, model.parameters()));
  const TokenLayout layout = TokenLayout::of(model.config());
  const ClipSet clips({folder_ / "data.kshard"}, layout);
  PackedBatch batch;
  for (size_t i = 0; i < 3; ++i)
    batch.add(layout, {}, clip_ids(layout, clips.clip(i), {}), clips.clip(i).voice, 0);
  const at::Tensor targets = at::tensor(at::IntArrayRef(batch.targets));
  at::NoGradGuard no_grad;
  const at::Tensor a =
      cross_entropy(model.forward(batch), model.head(), targets, 1, 64, model.rules().table)
          .per_token;
  const at::Tensor b = cross_entropy(plain.forward(batch), plain.head(), targets, 1, 64).per_token;
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-5);
  EXPECT_GT(b.max().item<double>(), 6);
}

TEST_F(SmallModelTest, T1_a_run_goes_on_bit_for_bit) {
  TrainConfig c = small_config("whole");
  Trainer whole(c, false);
  std::vector<double> losses, penalties;
  while (!whole.done()) {
    const UpdateReport report = whole.step();
    losses.push_back(report.loss);
    penalties.push_back(report.guide.value_or(-1));
  }
  EXPECT_GT(penalties[7], 0);
  EXPECT_EQ(penalties[8], -1) << "the penalty ends after 8 updates";
  whole.save();
  for (const int64_t stop : {3, 9}) {
    c.output_dir = folder_ / concat("part-", stop);
    {
      Trainer part(c, false);
      for (int64_t i = 0; i < stop; ++i) part.step();
      part.save();
    }
    Trainer again(c, true);
    for (int64_t i = stop; i < 12; ++i)
      EXPECT_EQ(again.step().loss, losses[static_cast<size_t>(i)]);
    again.save();
    for (const char* file :
         {"model.safetensors", "audio_table.safetensors", "ema-00000-of-00001.safetensors",
          "optim-00000-of-00001.safetensors", "state.json"}) {
      EXPECT_EQ(read_file(*find_checkpoint(c.output_dir) / file, 1 << 24),
                read_file(*find_checkpoint(folder_ / "whole") / file, 1 << 24))
          << file << " after a stop at " << stop;
    }
  }
}

TEST_F(SmallModelTest, files_are_ordinary_and_a_run_with_rows_starts_from_them) {
  TrainConfig c = small_config("out");
  c.valid_data = c.data;
  Trainer trainer(c, false);
  while (!trainer.done()) trainer.step();
  const double loss = trainer.evaluate()->loss, averaged = trainer.evaluate(true)->loss;
  trainer.save();
  trainer.export_model(folder_ / "finished", SavedType::kF32, false);
  trainer.export_model(folder_ / "mean", SavedType::kF32, true);
  const fs::path checkpoint = *find_checkpoint(c.output_dir);
  EXPECT_EQ(read_file(checkpoint / "model.safetensors", 1 << 24),
            read_file(folder_ / "finished" / "model.safetensors", 1 << 24));
  const Lfm2Module exported = load_module(folder_ / "finished");
  EXPECT_EQ(exported.parameters().size(), load_module(folder_ / "base").parameters().size());

  const auto loss_of_run = [&](const char* folder, const char* table) {
    TrainConfig next = c;
    next.growth.init_from_scratch = false;
    next.model_id = folder_ / folder;
    next.audio_table = table;
    next.output_dir = folder_ / "next";
    return Trainer(next, false).evaluate()->loss;
  };
  // Written out in float32, and the nearest sums of sums are the sums.
  EXPECT_EQ(loss_of_run("finished", "rows"), loss);
  EXPECT_EQ(loss_of_run("mean", "rows"), averaged);
  EXPECT_NEAR(loss_of_run("finished", "factorised"), loss, 1e-5);
}

TEST_F(SmallModelTest, it_learns) {
  TrainConfig c = small_config("out");
  c.max_steps = 60;
  c.code_noise = {};
  Trainer trainer(c, false);
  const double first = trainer.step().loss;
  double last = first;
  while (!trainer.done()) last = trainer.step().loss;
  EXPECT_NEAR(first, std::log(650.0), 0.3);
  EXPECT_LT(last, first - 1.5);
}

TEST_F(SmallModelTest, noise_is_for_training_alone) {
  TrainConfig c = small_config("out");
  c.valid_data = c.data;
  c.code_noise = {.digit = 1, .random = 1};
  TrainConfig quiet = c;
  quiet.code_noise = {};
  Trainer loud(c, false), silent(quiet, false);
  EXPECT_EQ(loud.evaluate()->loss, silent.evaluate()->loss);
  loud.step(), silent.step();
  EXPECT_NE(loud.step().loss, silent.step().loss);
}

TEST_F(SmallModelTest, what_does_not_fit_is_refused_by_name) {
  const auto refusal = [&](const std::function<void(TrainConfig&)>& change) -> std::string {
    TrainConfig c = small_config("out");
    change(c);
    try {
      Trainer trainer(c, false);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto names = [&](const char* key, const std::function<void(TrainConfig&)>& change) {
    EXPECT_NE(refusal(change).find(key), std::string::npos) << key << ": " << refusal(change);
  };
  names("audio_levels", [](TrainConfig& c) { c.audio_levels = {"9", "8", "8", "7"}; });
  names("audio_levels", [](TrainConfig& c) { c.audio_levels = {"0"}; });
  names("audio_table", [](TrainConfig& c) { c.audio_table = "sums"; });
  names("audio_softmax", [](TrainConfig& c) { c.audio_softmax = "due"; });  // beside factorised
  names("audio_softmax", [](TrainConfig& c) { c.audio_softmax = "some"; });
  names("audio_softmax due has no place beside parity", [](TrainConfig& c) {
    c.audio_table = "rows";
    c.audio_softmax = "due";
    c.parity = true;
  });
  names("lora_rank", [](TrainConfig& c) { c.lora.rank = 4; });
  names("optimizer", [](TrainConfig& c) { c.optimizer.rule = "sgd"; });
  names("muon_momentum", [](TrainConfig& c) { c.optimizer.muon_momentum = 1; });
  names("code_noise_random", [](TrainConfig& c) { c.code_noise.random = 2; });
  names("guided_attention_steps", [](TrainConfig& c) { c.guide.steps = 0; });
  names("audio_levels", [](TrainConfig& c) {
    c.audio_table = "rows";
    c.audio_levels = {"7"};
  });
}

}  // namespace
}  // namespace kani::train
