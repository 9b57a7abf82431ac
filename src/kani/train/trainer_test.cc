// trainer_test.cc - a run on the reference data: upstream's curve through the whole trainer, the
// same bits after any stop, damage found, nonsense left out.
#include "kani/train/trainer.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "kani/base/sha256.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

using TrainerTest = RunTest;

TEST_F(TrainerTest, upstreams_twenty_updates) {
  TrainConfig c = config("out");
  c.parity = true;
  c.per_device_train_batch_size = 4;
  c.gradient_accumulation_steps = 3;
  c.max_steps = 20;
  Trainer trainer(c, /*resume=*/false);
  const Json goldens =
      parse_json(read_file(kReferenceData / "goldens.json", 1 << 24), "goldens.json");
  for (const Json& point : goldens["train"]["curve"]) {
    const UpdateReport report = trainer.step();
    EXPECT_NEAR(report.loss, point["loss"].get<double>(), 1e-5) << report.update;
    const double norm = point["grad_norm_before_clip"], rate = point["lr"];
    EXPECT_NEAR(report.grad_norm, norm, 1e-4 * norm) << report.update;
    EXPECT_NEAR(report.learning_rate, rate, 1e-12 * rate) << report.update;
  }
  EXPECT_TRUE(trainer.done());
  for (const auto& [name, value] : load_tensors(kReferenceData / "tiny" / "final.safetensors"))
    EXPECT_LT((trainer.model().parameter(name) - value).abs().max().item<double>(), 1e-5) << name;
}

TEST_F(TrainerTest, T1_a_run_that_is_stopped_anywhere_goes_on_bit_for_bit) {
  TrainConfig c = config("whole");
  c.speaker_dropout = 0.3;
  c.ema_decay = 0.9;
  Trainer whole(c, false);
  std::vector<double> losses;
  while (!whole.done()) losses.push_back(whole.step().loss);
  whole.save();
  for (const int64_t stop : {1, 5, 6, 11}) {
    c.output_dir = folder_ / concat("part-", stop);
    {
      Trainer part(c, false);
      for (int64_t i = 0; i < stop; ++i) part.step();
      part.save();
    }
    Trainer again(c, true);
    EXPECT_EQ(again.state().update, stop);
    for (int64_t i = stop; i < 12; ++i)
      EXPECT_EQ(again.step().loss, losses[static_cast<size_t>(i)]);
    again.save();
    for (const char* file : {"model.safetensors", "optim-00000-of-00001.safetensors",
                             "ema-00000-of-00001.safetensors", "state.json"}) {
      EXPECT_EQ(read_file(*find_checkpoint(c.output_dir) / file, 1 << 24),
                read_file(*find_checkpoint(folder_ / "whole") / file, 1 << 24))
          << file << " after a stop at " << stop;
    }
  }
}

TEST_F(TrainerTest, T3_every_flipped_bit_is_found) {
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.save();
  const fs::path checkpoint = *find_checkpoint(folder_ / "out");
  verify_checkpoint(checkpoint);
  uint64_t place = 1;
  constexpr int kFlipsOfFile = 167;  // a thousand in six files
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    const std::string good = read_file(entry.path(), 1 << 24);
    for (int i = 0; i < kFlipsOfFile; ++i) {
      place = place * 6364136223846793005u + 1442695040888963407u;
      std::string bad = good;
      char& byte = bad[(place >> 20) % bad.size()];
      byte = static_cast<char>(byte ^ (1 << (place >> 60) % 8));
      write_file(entry.path(), bad);
      EXPECT_THROW(verify_checkpoint(checkpoint), Error) << entry.path();
    }
    write_file(entry.path(), good);
  }
  verify_checkpoint(checkpoint);
}

TEST_F(TrainerTest, T2_a_damaged_newest_checkpoint_gives_way_to_the_one_before) {
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.save();
  trainer.step();
  trainer.save();
  const fs::path newest = *find_checkpoint(folder_ / "out");
  EXPECT_EQ(newest.filename(), checkpoint_name(2));
  std::ofstream(newest / "state.json", std::ios::app) << " ";
  EXPECT_EQ(find_checkpoint(folder_ / "out")->filename(), checkpoint_name(1));
  EXPECT_EQ(Trainer(config("out"), true).state().update, 1);
  fs::remove(newest / "MANIFEST");
  EXPECT_EQ(find_checkpoint(folder_ / "out")->filename(), checkpoint_name(1));
}

TEST_F(TrainerTest, T2_a_folder_that_was_never_finished_is_no_checkpoint) {
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.save();
  fs::copy(folder_ / "out" / checkpoint_name(1), folder_ / "out" / "step-00000009.part");
  EXPECT_EQ(find_checkpoint(folder_ / "out")->filename(), checkpoint_name(1));
  EXPECT_EQ(find_checkpoint(folder_ / "nothing"), std::nullopt);
}

TEST_F(TrainerTest, T4_other_data_or_another_configuration_are_refused_unless_forced) {
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.save();
  TrainConfig c = config("out");
  c.seed = 1;
  EXPECT_THROW(Trainer(c, true), Error);
  EXPECT_EQ(Trainer(c, true, /*force=*/true).state().update, 1);
  write_shard(folder_ / "data.kshard", [](TrainingClip& clip, size_t i) {
    if (i == 3) clip.codes[0] = (clip.codes[0] + 1) % 60;
  });
  EXPECT_THROW(Trainer(config("out"), true), Error);
}

TEST_F(TrainerTest, T8_weights_that_are_no_numbers_skip_updates_and_stop_after_twenty) {
  TrainConfig c = config("out");
  c.max_steps = 100;
  Trainer trainer(c, false);
  trainer.step();
  trainer.save();
  const std::string before = weights(c.output_dir);
  {
    at::NoGradGuard no_grad;
    trainer.model().parameters().at("model.embedding_norm.weight")[0] = NAN;
  }
  for (int i = 0; i < 19; ++i) {
    const UpdateReport report = trainer.step();
    EXPECT_TRUE(report.skipped);
    trainer.require_health(report);
  }
  trainer.save();  // as at a signal: whole, but of no use
  EXPECT_EQ(find_checkpoint(c.output_dir)->filename(), checkpoint_name(20));
  const UpdateReport last = trainer.step();
  EXPECT_TRUE(last.skipped);
  EXPECT_FALSE(last.clips.empty());
  EXPECT_EQ(trainer.state().skipped, 20);
  try {
    trainer.require_health(last);
    FAIL() << "twenty in a row go on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(checkpoint_name(1)), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(read_file(*find_good_checkpoint(c.output_dir) / "model.safetensors", 1 << 24), before);
}

TEST_F(TrainerTest, T8_checkpoints_among_skipped_updates_are_not_good_and_delete_none) {
  TrainConfig c = config("out");
  c.max_steps = 100;
  c.save_total_limit = 2;
  Trainer trainer(c, false);
  trainer.step();
  trainer.save();
  {
    at::NoGradGuard no_grad;
    trainer.model().parameters().at("model.embedding_norm.weight")[0] = NAN;
  }
  trainer.save();  // the same update, now of no use: what its state does not tell its weights do
  EXPECT_EQ(find_good_checkpoint(c.output_dir), std::nullopt);
  for (int i = 0; i < 4; ++i) {
    trainer.step();
    trainer.save();
  }
  EXPECT_EQ(step_folders(c.output_dir).size(), 5U);
}

TEST_F(TrainerTest, T8_a_batch_in_which_nothing_counts_is_skipped) {
  TrainConfig c = config("out");
  c.sequence.loss_on_text = false;
  c.loss_weights = {"text=1",       "control=0",    "codebook_0=0",
                    "codebook_1=0", "codebook_2=0", "codebook_3=0"};
  Trainer trainer(c, false);
  const ParameterMap before = load_module(folder_ / "base").parameters();
  for (int i = 0; i < 3; ++i) {
    const UpdateReport report = trainer.step();
    EXPECT_TRUE(report.skipped);
    EXPECT_EQ(report.skip_reason, "none of its targets counts");
    EXPECT_FALSE(report.clips.empty());
  }
  EXPECT_EQ(trainer.state().skipped, 3);
  for (const auto& [name, tensor] : trainer.model().parameters())
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
}

TEST_F(TrainerTest, T8_a_clip_that_is_too_long_is_left_out_and_counted) {
  TrainConfig c = config("out");
  c.pack_length = 64;
  c.batch_tokens = 128;
  Trainer trainer(c, false);
  EXPECT_GT(trainer.clips_left_out(), 0u);
  EXPECT_LT(trainer.clips_left_out(), trainer.clips().size());
  EXPECT_FALSE(trainer.step().skipped);
}

TEST_F(TrainerTest, T7_a_damaged_shard_is_named) {
  std::string bytes = read_file(folder_ / "data.kshard", 1 << 24);
  bytes[bytes.size() - 20] = static_cast<char>(bytes[bytes.size() - 20] ^ 1);
  write_file(folder_ / "data.kshard", bytes);
  try {
    Trainer(config("out"), false);
    FAIL() << "is trained on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("data.kshard"), std::string::npos) << error.what();
  }
}

TEST_F(TrainerTest, T7_few_bad_shards_are_left_out_whole_and_many_stop_the_run) {
  const fs::path set = folder_ / "set";
  fs::create_directories(set);
  const std::string good = read_file(folder_ / "data.kshard", 1 << 24);
  const auto shard = [&](int number) { return set / concat("train-", number, ".kshard"); };
  std::string manifest;
  for (int i = 0; i < 5; ++i) {
    write_file(shard(i), good);
    manifest += sha256_hex(shard(i)) + "  " + shard(i).filename().string() + "\n";
  }
  write_file(set / "MANIFEST", manifest);
  std::string damaged = good;
  damaged[damaged.size() - 20] = static_cast<char>(damaged[damaged.size() - 20] ^ 1);
  const TokenLayout layout = TokenLayout::of(load_module(folder_ / "base").config());
  const auto open = [&](double share) {
    return ClipSet({set}, layout, {}, {.split = Split::kTrain, .bad_share = share});
  };
  EXPECT_EQ(open(0).size(), 5 * 38U);
  write_file(shard(1), damaged);
  write_file(shard(2), "");
  fs::remove(shard(3));
  const ClipSet left = open(0.6);
  EXPECT_EQ(left.size(), 2 * 38U);
  EXPECT_EQ(left.bad_shards(), 3U);
  EXPECT_EQ(left.name(38).substr(0, 14), "train-4.kshard");
  try {
    open(0.5);
    FAIL() << "too many are left out";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("train-1.kshard"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("3 of 5 shards"), std::string::npos) << error.what();
  }
  EXPECT_THROW(open(0.001), Error);
}

TEST(WithOneRetry, T7_forgives_one_failure_and_no_more) {
  int calls = 0;
  const auto fails = [&calls](int times) {
    calls = 0;
    return with_one_retry([&calls, times] {
      if (++calls <= times) throw Error(ErrorCode::kBadInput, "cannot be read");
      return 7;
    });
  };
  EXPECT_EQ(fails(0), 7);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(fails(1), 7);
  EXPECT_EQ(calls, 2);
  EXPECT_THROW(fails(2), Error);
}

TEST_F(TrainerTest, validation_is_on_what_was_kept_back) {
  const fs::path set = folder_ / "set";
  fs::create_directories(set);
  fs::copy_file(folder_ / "data.kshard", set / "train-0.kshard");
  const TokenLayout layout = TokenLayout::of(load_module(folder_ / "base").config());
  const ClipSetRules valid{.split = Split::kValid};
  EXPECT_THROW(ClipSet({set}, layout, {}, valid), Error) << "nothing was kept back";
  fs::copy_file(folder_ / "data.kshard", set / "valid-0.kshard");
  EXPECT_EQ(ClipSet({set}, layout, {}, valid).name(0), "valid-0.kshard:0");
  EXPECT_EQ(ClipSet({set}, layout).name(0), "train-0.kshard:0");
  EXPECT_EQ(ClipSet({folder_ / "data.kshard"}, layout, {}, valid).name(0), "data.kshard:0");
}

TEST_F(TrainerTest, a_share_of_the_clips_is_kept_back_by_what_they_are) {
  const TokenLayout layout = TokenLayout::of(load_module(folder_ / "base").config());
  fs::copy_file(folder_ / "data.kshard", folder_ / "again.kshard");
  const std::string first = folder_ / "data.kshard", second = folder_ / "again.kshard";
  const auto names = [&](const std::vector<std::string>& places, Split side, double share) {
    ClipSet set(places, layout);
    set.keep(side, share, places.size());
    std::vector<std::string> out;
    for (size_t i = 0; i < set.size(); ++i) out.push_back(set.name(i));
    return out;
  };
  const size_t all = ClipSet({first}, layout).size();
  const auto kept = names({first}, Split::kValid, 0.4), rest = names({first}, Split::kTrain, 0.4);
  EXPECT_GT(kept.size(), 0U);
  EXPECT_GT(rest.size(), 0U);
  EXPECT_EQ(kept.size() + rest.size(), all);
  for (const std::string& name : kept)
    EXPECT_EQ(std::count(rest.begin(), rest.end(), name), 0) << name;
  // More data moves no clip, and a copy of a clip is where it is.
  auto both = names({first, second}, Split::kValid, 0.4);
  EXPECT_EQ(both.size(), 2 * kept.size());
  both.resize(kept.size());
  EXPECT_EQ(both, kept);
  // What is replayed is all trained on.
  ClipSet with_replay({first, second}, layout);
  with_replay.keep(Split::kTrain, 0.4, 1);
  EXPECT_EQ(with_replay.size(), rest.size() + all);
  EXPECT_EQ(with_replay.clips_of_first(1), rest.size());

  TrainConfig c = config("out");
  c.valid_fraction = 0.4;
  Trainer trainer(c, false);
  EXPECT_EQ(trainer.clips().size(), rest.size());
  EXPECT_TRUE(trainer.evaluate().has_value());
  c = config("none");
  c.valid_fraction = 1e-9;
  EXPECT_THROW(Trainer(c, false), Error);
  c.valid_data = c.data;
  EXPECT_THROW(Trainer(c, false), Error);
}

TEST_F(TrainerTest, batches_of_like_lengths_are_asked_for_where_they_can_be) {
  TrainConfig c = config("out");
  c.length_buckets = 2;
  EXPECT_THROW(Trainer(c, false), Error) << "rows are packed";
  c.packing = Packing::kNone;
  c.per_device_train_batch_size = 3;
  Trainer trainer(c, false);
  EXPECT_TRUE(std::isfinite(trainer.step().loss));
}

TEST_F(TrainerTest, a_new_run_does_not_begin_among_the_checkpoints_of_another) {
  TrainConfig c = config("out");
  {
    Trainer trainer(c, false);
    trainer.step();
    trainer.save();
  }
  const std::string before = weights(c.output_dir);
  try {
    Trainer(c, false);
    FAIL() << "begins";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(error.hint().find("--resume"), std::string::npos);
  }
  EXPECT_EQ(weights(c.output_dir), before);
  EXPECT_EQ(Trainer(c, true).state().update, 1);
}

TEST_F(TrainerTest, data_of_another_tokenizer_is_refused) {
  const fs::path model = fs::path(KANI_SOURCE_DIR) / "models/kani-mini/lm";
  fs::copy_file(model / "tokenizer.json", folder_ / "base" / "tokenizer.json");
  const Tokenizer tokenizer = Tokenizer::load(folder_ / "base");
  const auto text_of = [&](bool fits) {
    write_shard(folder_ / "data.kshard", [&](TrainingClip& clip, size_t) {
      clip.utf8 = "good morning";
      clip.text = tokenizer.encode("en: " + clip.utf8, AddedTokens::kPlainText);
      if (!fits) std::reverse(clip.text.begin(), clip.text.end());
    });
  };
  text_of(true);
  Trainer(config("fits"), false);
  text_of(false);
  try {
    Trainer(config("other"), false);
    FAIL() << "is trained on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("its text is \"good morning\""), std::string::npos)
        << error.what();
  }
}

TEST_F(TrainerTest, rotation_keeps_the_newest_and_what_is_listed) {
  TrainConfig c = config("out");
  c.save_total_limit = 2;
  fs::create_directories(folder_ / "out");
  write_file(folder_ / "out" / "keep", checkpoint_name(2) + "\n");
  Trainer trainer(c, false);
  for (int i = 0; i < 5; ++i) {
    trainer.step();
    trainer.save();
  }
  for (int64_t i = 1; i <= 5; ++i)
    EXPECT_EQ(fs::exists(folder_ / "out" / checkpoint_name(i)), i != 1 && i != 3) << i;
}

TEST_F(TrainerTest, the_loss_falls_and_validation_sees_it) {
  TrainConfig c = config("out");
  c.valid_data = c.data;
  c.max_steps = 60;
  c.optimizer.learning_rate = 3e-3;
  Trainer trainer(c, false);
  const double before = trainer.evaluate()->loss;
  while (!trainer.done()) trainer.step();
  const EvalReport after = *trainer.evaluate();
  EXPECT_LT(after.loss, before - 1);
  EXPECT_EQ(after.codebook_loss.size(), 4u);
  const EvalReport again = *trainer.evaluate();
  EXPECT_EQ(again.loss, after.loss);
  EXPECT_EQ(again.figures, after.figures);
  const Figures figures = eval_figures(after);
  // The perplexity is another way to say the codebook's loss.
  for (int k = 0; k < 4; ++k) {
    const double loss = figures.at(concat("eval_codebook_", k, "_loss"));
    EXPECT_NEAR(figures.at(concat("eval_metrics/layer_", k, "_ppl")), std::exp(loss),
                1e-3 * std::exp(loss));
    EXPECT_LE(figures.at(concat("eval_metrics/layer_", k, "_slot_ppl")), std::exp(loss));
  }
  // Every clip is shorter than five seconds, and the classes hold all codes.
  EXPECT_TRUE(figures.contains("eval_duration_0s_loss"));
  EXPECT_FALSE(figures.contains("eval_duration_5s_loss"));
  EXPECT_GT(figures.at("eval_metrics/end_recall"), 0);
  EXPECT_LT(figures.at("eval_metrics/false_end_rate"), 0.5);
}

TEST_F(TrainerTest, the_clips_of_the_first_update_again_and_again_are_learnt_by_heart) {
  TrainConfig c = config("out");
  c.repeat_first_update = true;
  c.max_steps = 60;
  c.optimizer.learning_rate = 5e-3;
  Trainer trainer(c, false);
  double first = 0, last = 0;
  int64_t elements = 0;
  while (!trainer.done()) {
    const UpdateReport report = trainer.step();
    last = report.loss;
    if (first == 0) {
      first = last;
      elements = report.elements;
    }
    EXPECT_EQ(report.elements, elements);
    EXPECT_EQ(report.epoch, 0);
  }
  EXPECT_LT(last, 0.2 * first);
}

TEST_F(TrainerTest, the_best_checkpoint_is_named_and_kept) {
  TrainConfig c = config("out");
  c.valid_data = c.data;
  c.save_total_limit = 2;
  Trainer trainer(c, false);
  EvalReport report;
  for (const double loss : {5.0, 3.0, 4.0, 3.5, 3.25}) {
    trainer.step();
    report.loss = loss;
    const bool best = trainer.is_best(report);
    EXPECT_EQ(best, loss == 5.0 || loss == 3.0) << loss;
    trainer.begin_save(best ? std::optional(loss) : std::nullopt);
    trainer.finish_save();
  }
  EXPECT_EQ(read_file(folder_ / "out" / "best", 100), checkpoint_name(2) + "\n");
  EXPECT_TRUE(fs::exists(folder_ / "out" / checkpoint_name(2) / "MANIFEST"));
  EXPECT_FALSE(fs::exists(folder_ / "out" / checkpoint_name(3)));
  Trainer resumed(c, true);
  EXPECT_EQ(resumed.state().best_loss, 3.0);
  EXPECT_EQ(resumed.state().best_update, 2);
}

TEST_F(TrainerTest, T6_a_best_checkpoint_that_cannot_be_written_is_not_named) {
  TrainConfig c = config("out");
  c.valid_data = c.data;
  Trainer trainer(c, false);
  trainer.step();
  trainer.begin_save(5);
  trainer.finish_save();
  trainer.step();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{40'000, before.rlim_max};  // as on a full disk
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  trainer.begin_save(4);
  EXPECT_THROW(trainer.finish_save(), Error);
  EXPECT_FALSE(trainer.save_pending());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(trainer.state().best_update, 1);
  EXPECT_EQ(trainer.state().best_loss, 5);
  EXPECT_EQ(read_file(folder_ / "out" / "best", 100), checkpoint_name(1) + "\n");
  trainer.begin_save(4);
  trainer.finish_save();
  EXPECT_EQ(read_file(folder_ / "out" / "best", 100), checkpoint_name(2) + "\n");
}

TEST_F(TrainerTest, what_is_saved_in_the_background_is_what_was_there_when_it_began) {
  TrainConfig c = config("here");
  c.ema_decay = 0.9;
  Trainer here(c, false);
  c.output_dir = folder_ / "there";
  Trainer there(c, false);
  for (int i = 0; i < 4; ++i) {
    here.step();
    there.step();
  }
  here.save();
  there.begin_save();
  EXPECT_TRUE(there.save_pending());
  for (int i = 0; i < 3; ++i) there.step();
  there.begin_save();  // after the one before
  there.finish_save();
  EXPECT_FALSE(there.save_ended());
  const fs::path a = folder_ / "here" / checkpoint_name(4), b = folder_ / "there" / a.filename();
  for (const char* name : {"model.safetensors", "optim-00000-of-00001.safetensors",
                           "ema-00000-of-00001.safetensors", "state.json"})
    EXPECT_EQ(read_file(a / name, 1 << 26), read_file(b / name, 1 << 26)) << name;
  EXPECT_TRUE(fs::exists(folder_ / "there" / checkpoint_name(7) / "MANIFEST"));
  while (!there.done()) there.step();
  there.save();
  Trainer resumed(c, true);
  EXPECT_EQ(resumed.state().update, there.state().update);
}

TEST_F(TrainerTest, learning_rates_by_name) {
  TrainConfig c = config("out");
  c.group_lr = {"embed_tokens=0", "layers.0.=0.5"};
  Trainer trainer(c, false);
  const at::Tensor rows = trainer.model().parameter("model.embed_tokens.weight").detach().clone();
  const at::Tensor norm = trainer.model().parameter("model.embedding_norm.weight").detach().clone();
  trainer.step();
  EXPECT_TRUE(trainer.model().parameter("model.embed_tokens.weight").equal(rows));
  EXPECT_FALSE(trainer.model().parameter("model.embedding_norm.weight").equal(norm));
}

TEST(Operations, of_an_element_of_the_real_model_as_the_specification_counts) {
  Lfm2Config c;
  c.vocab_size = 80538;
  c.hidden_size = 1024;
  c.intermediate_size = 4608;
  c.heads = 16;
  c.kv_heads = 8;
  c.head_dim = 64;
  for (int i = 0; i < 16; ++i)
    c.layers.push_back(i < 10 ? LayerKind::kConv : LayerKind::kAttention);
  EXPECT_EQ(training_operations(c, 0), 6 * 369'780'736.0);
  EXPECT_EQ(training_operations(c, 545), 6 * 369'780'736.0 + 36'864.0 * 545);
}

TEST_F(TrainerTest, of_a_set_with_splits_only_the_training_shards_are_taken) {
  const fs::path set = folder_ / "set";
  fs::create_directories(set);
  const TokenLayout layout = TokenLayout::of(load_module(folder_ / "base").config());
  write_shard(set / "clips-00000.kshard", nullptr);
  write_shard(set / "valid-00000-of-00001.kshard", nullptr);
  EXPECT_EQ(ClipSet({set}, layout).name(0), "clips-00000.kshard:0");
  EXPECT_EQ(ClipSet({set}, layout).size(), 38u);
  write_shard(set / "train-00000-of-00001.kshard", nullptr);
  EXPECT_EQ(ClipSet({set}, layout).name(0), "train-00000-of-00001.kshard:0");
  EXPECT_EQ(ClipSet({set}, layout).size(), 38u);
}

TEST_F(TrainerTest, frozen_parameters_stay) {
  TrainConfig c = config("out");
  c.freeze = {"embed_tokens", "layers.0."};
  Trainer trainer(c, false);
  const at::Tensor table = trainer.model().parameter("model.embed_tokens.weight").clone();
  const at::Tensor other = trainer.model().parameter("model.layers.1.ffn_norm.weight").clone();
  trainer.step();
  EXPECT_TRUE(table.equal(trainer.model().parameter("model.embed_tokens.weight")));
  EXPECT_FALSE(other.equal(trainer.model().parameter("model.layers.1.ffn_norm.weight")));
}

TEST_F(TrainerTest, what_is_exported_is_loaded_with_every_key) {
  Trainer trainer(config("out"), false);
  trainer.step();
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  const Lfm2Module again = load_module(folder_ / "export");
  EXPECT_EQ(again.config().audio_tokens_start, 410);
  EXPECT_EQ(again.config().speaker_emb_dim, 16);
  EXPECT_EQ(again.config().intermediate_size, trainer.model().config().intermediate_size);
  for (const auto& [name, parameter] : trainer.model().parameters())
    EXPECT_TRUE(parameter.equal(again.parameter(name))) << name;
}

}  // namespace
}  // namespace kani::train
