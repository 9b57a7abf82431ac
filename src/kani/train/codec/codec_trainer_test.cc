// Runs of all stages on a codec of a few thousand numbers.
#include "kani/train/codec/codec_trainer.h"

#include "kani/base/file.h"
#include "kani/train/codec/test_sounds.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class CodecTrainerTest : public SoundTest {
 protected:
  // A run of `updates` whose checkpoint is then in `out`.
  void run(CodecTrainConfig config, bool resume = false, int64_t updates = 1 << 20) {
    CodecTrainer trainer(std::move(config), resume, /*force=*/false);
    for (int64_t i = 0; i < updates && !trainer.done(); ++i) trainer.step();
    trainer.save();
  }
  CodecTrainConfig after(CodecStage stage, const std::string& init, const std::string& out) const {
    CodecTrainConfig c = tiny(stage, out);
    c.init = (folder_ / init).string();
    return c;
  }
  // Every file of the newest checkpoint but what names places.
  std::string newest(const std::string& out) const {
    std::string all;
    const fs::path folder = *find_codec_checkpoint(folder_ / out);
    for (const char* name : {"model.safetensors", "optim.safetensors", "ema.safetensors",
                             "critics.safetensors", "critics-optim.safetensors", "state.json"}) {
      if (fs::exists(folder / name)) all += read_file(folder / name, 1 << 26);
    }
    return all;
  }
};

TEST_F(CodecTrainerTest, every_stage_learns_from_what_the_one_before_has_left) {
  const std::vector<std::pair<CodecStage, double>> stages{{CodecStage::kMel, 0.7},
                                                          {CodecStage::kEncoder, 0.8},
                                                          {CodecStage::kDecoder, 0.8},
                                                          {CodecStage::kJoint, 1.0}};
  std::string before;
  for (const auto& [stage, share] : stages) {
    const std::string name(stage_name(stage));
    SCOPED_TRACE(name);
    CodecTrainConfig config =
        stage == CodecStage::kMel ? tiny(stage, name) : after(stage, before, name);
    config.optimizer.total_steps = 60;
    config.rate_weight = 0;
    if (stage == CodecStage::kJoint) config.optimizer.total_steps = 10;
    CodecTrainer trainer(config, false, false);
    const Figures first = trainer.evaluate();
    while (!trainer.done()) {
      const CodecUpdateReport report = trainer.step();
      ASSERT_FALSE(report.skipped);
      ASSERT_GT(report.grad_norm, 0);
    }
    const Figures last = trainer.evaluate();
    EXPECT_LT(last.at("loss"), share * first.at("loss"));
    EXPECT_LT(last.at("starts_loss"), share * first.at("starts_loss"));
    trainer.save();
    before = name;
  }
}

TEST_F(CodecTrainerTest, a_run_that_was_stopped_ends_with_the_same_bits) {
  run(tiny(CodecStage::kMel, "mel"));
  for (const CodecStage stage :
       {CodecStage::kMel, CodecStage::kEncoder, CodecStage::kDecoder, CodecStage::kJoint}) {
    SCOPED_TRACE(stage_name(stage));
    CodecTrainConfig whole = after(stage, "mel", "whole"), parts = whole;
    whole.ema_decay = parts.ema_decay = 0.9;
    whole.group_dropout_from = parts.group_dropout_from = 0;
    whole.adversarial_from = parts.adversarial_from = 3;
    for (CodecTrainConfig* c : {&whole, &parts})
      c->critics = {.periods = {2, 3}, .period_width = 2, .ffts = {256}, .band_width = 2};
    parts.output_dir = (folder_ / "parts").string();
    run(whole);
    run(parts, false, 5);
    run(parts, true, 2);
    run(parts, true);
    EXPECT_EQ(newest("whole"), newest("parts"));
    fs::remove_all(folder_ / "whole");
    fs::remove_all(folder_ / "parts");
  }
}

TEST_F(CodecTrainerTest, an_encoder_learns_for_a_decoder_that_stays_as_it_is) {
  run(tiny(CodecStage::kMel, "mel"), false, 2);
  CodecTrainConfig config = after(CodecStage::kEncoder, "mel", "encoder");
  config.front_learns = false;
  config.encoder_mel_from = 0;
  config.encoder_mel_weight = 10;
  CodecTrainer trainer(config, false, false);
  const double first = trainer.evaluate().at("mel_l1");
  while (!trainer.done()) trainer.step();
  EXPECT_LT(trainer.evaluate().at("mel_l1"), first);
  trainer.save();
  const ParameterMap before = load_networks(folder_ / "mel").parameters,
                     after = load_networks(folder_ / "encoder").parameters;
  int kept = 0;
  for (const auto& [name, tensor] : before) {
    const bool encoder = name.starts_with("audio_encoder.");
    EXPECT_EQ(at::equal(tensor, after.at(name)), !encoder) << name;
    kept += encoder ? 0 : 1;
  }
  EXPECT_GT(kept, 0);
}

// Muon and a deeper decoder, stopped in the middle: the same bits.
TEST_F(CodecTrainerTest, a_decoder_grows_and_learns_by_muon) {
  run(tiny(CodecStage::kMel, "start"));
  const auto config = [&](const std::string& out) {
    CodecTrainConfig c = after(CodecStage::kMel, "start", out);
    c.more_dilations = {5};
    c.optimizer.rule = "muon";
    c.optimizer.total_steps = 6;
    return c;
  };
  run(config("whole"));
  run(config("parts"), false, 3);
  run(config("parts"), true);
  EXPECT_EQ(newest("whole"), newest("parts"));
  const CodecFile before = load_networks(folder_ / "start"),
                  grown = load_networks(folder_ / "whole");
  EXPECT_EQ(grown.config.decoder.resblock_dilations.size(),
            before.config.decoder.resblock_dilations.size() + 1);
  EXPECT_GT(grown.parameters.size(), before.parameters.size());
  for (const auto& [name, tensor] : grown.parameters) {
    if (!name.starts_with("audio_decoder.res_layers.0.") ||
        !name.ends_with(".skip_conv.conv.weight_g"))
      continue;
    EXPECT_GT(tensor.abs().min().item<double>(), 0) << name << " has learnt nothing";
  }
}

TEST_F(CodecTrainerTest, the_first_stage_learns_for_codes_that_stay_as_they_are) {
  run(tiny(CodecStage::kMel, "start"));
  CodecTrainConfig config = after(CodecStage::kMel, "start", "front");
  config.analysis_learns = false;
  run(config);
  const CodecFile before = load_networks(folder_ / "start"), now = load_networks(folder_ / "front");
  int learnt = 0;
  for (const auto& [name, tensor] : before.parameters) {
    const bool same = tensor.equal(now.parameters.at(name));
    EXPECT_TRUE(same || !name.starts_with("analysis.")) << name;
    learnt += same ? 0 : 1;
  }
  EXPECT_GT(learnt, 4);
}

TEST_F(CodecTrainerTest, other_sounds_or_settings_are_not_gone_on_with) {
  CodecTrainConfig config = tiny(CodecStage::kMel, "run");
  run(config, false, 2);
  config.optimizer.learning_rate = 1e-4;
  EXPECT_THROW(CodecTrainer(config, true, false), Error);
  EXPECT_EQ(CodecTrainer(config, true, true).state().update, 2);
  config = tiny(CodecStage::kMel, "run");
  config.data = {sounds() + "/a.wav"};
  EXPECT_THROW(CodecTrainer(config, true, false), Error);
  // A run that was ended in its first checkpoint: what to do is said.
  config.output_dir = (folder_ / "none").string();
  fs::create_directories(folder_ / "none" / "step-00000005.part");
  try {
    CodecTrainer(config, true, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("without --resume"), std::string::npos);
  }
  EXPECT_EQ(CodecTrainer(config, false, false).state().update, 0);
}

TEST_F(CodecTrainerTest, settings_that_changed_are_named_and_places_are_compared_as_places) {
  run(tiny(CodecStage::kMel, "mel"), false, 2);
  CodecTrainConfig config = after(CodecStage::kEncoder, "mel", "encoder");
  run(config, false, 1);
  config.init += "/";
  EXPECT_EQ(CodecTrainer(config, true, false).state().update, 1);
  config.optimizer.learning_rate = 0.5;
  config.seed = 77;
  try {
    CodecTrainer(config, true, false);
    FAIL();
  } catch (const Error& error) {
    const std::string why = error.what();
    EXPECT_NE(why.find("other settings: "), std::string::npos) << why;
    EXPECT_NE(why.find("learning_rate was "), std::string::npos) << why;
    EXPECT_NE(why.find("is 77"), std::string::npos) << why;
    EXPECT_EQ(why.find("init"), std::string::npos) << why;
  }
}

TEST_F(CodecTrainerTest, a_damaged_checkpoint_is_passed_over) {
  const CodecTrainConfig config = tiny(CodecStage::kMel, "run");
  run(config, false, 2);
  run(config, true, 2);
  const fs::path newest = *find_codec_checkpoint(config.output_dir);
  write_file(newest / "model.safetensors", "broken");
  EXPECT_EQ(CodecTrainer(config, true, false).state().update, 2);
}

TEST_F(CodecTrainerTest, what_is_exported_decodes_as_the_trained_one_does) {
  run(tiny(CodecStage::kMel, "mel"));
  CodecTrainConfig config = after(CodecStage::kDecoder, "mel", "decoder");
  CodecTrainer trainer(config, false, false);
  for (int i = 0; i < 3; ++i) trainer.step();
  const fs::path file = folder_ / "codec.nemo";
  trainer.export_to(file);
  const CodecFile read = load_codec(file);
  EXPECT_EQ(read.parameters.size(), [&] {
    size_t count = 0;
    for (const auto& [name, tensor] : trainer.parameters())
      count += name.starts_with("audio_") ? 1 : 0;
    return count;
  }());
  const CodecModule ours(trainer.codec_config(), trainer.parameters()),
      theirs(read.config, read.parameters);
  const at::Tensor sound = trainer.sounds().samples(0, 0, 8 * 256).unsqueeze(0);
  {
    at::NoGradGuard no_grad;
    const at::Tensor latent = ours.encode(sound);
    EXPECT_TRUE(at::equal(latent, theirs.encode(sound)));
    const at::Tensor values = ours.fsq().quantize(latent).values;
    EXPECT_TRUE(at::equal(ours.decode(values), theirs.decode(values)));
  }
  // And another run may start from it, but not one that needs what a .nemo has not.
  config.init = file.string();
  EXPECT_FALSE(CodecTrainer(config, false, false).step().skipped);
  config.stage = CodecStage::kEncoder;
  EXPECT_THROW(CodecTrainer(config, false, false), Error);
}

TEST_F(CodecTrainerTest, what_makes_codes_fits_in_a_file_from_which_the_next_stage_starts) {
  CodecTrainConfig config = tiny(CodecStage::kMel, "mel");
  config.ema_decay = 0.5;
  CodecTrainer trainer(config, false, false);
  while (!trainer.done()) trainer.step();
  trainer.save();
  const fs::path file = folder_ / "codes.safetensors", half = folder_ / "half.safetensors";
  trainer.export_to(file);
  trainer.export_to(half, CodecStorage::kHalf);
  EXPECT_LT(10 * fs::file_size(half), 6 * fs::file_size(file));
  // The next stage is the same from either.
  CodecTrainConfig of_run = after(CodecStage::kEncoder, "mel", "a");
  CodecTrainConfig of_file = after(CodecStage::kEncoder, "codes.safetensors", "b");
  CodecTrainer one(of_run, false, false), other(of_file, false, false);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(one.step().loss, other.step().loss);
  EXPECT_EQ(load_networks(half).parameters.size(), load_networks(file).parameters.size());
  EXPECT_THROW(CodecTrainer(after(CodecStage::kEncoder, "none.safetensors", "c"), false, false),
               Error);
  // A file of something else.
  write_file(folder_ / "none.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_THROW(load_networks(folder_ / "none.safetensors"), Error);
}

TEST_F(CodecTrainerTest, a_finished_codec_goes_on_with_what_makes_its_codes) {
  run(tiny(CodecStage::kMel, "mel"), false, 3);
  const CodecFile networks = load_networks(folder_ / "mel");
  export_networks(folder_ / "codes.safetensors", networks);
  export_networks(folder_ / "codec.nemo", networks);
  CodecTrainConfig config = after(CodecStage::kDecoder, "codec.nemo", "decoder");
  config.codes = "analysis";
  EXPECT_THROW(CodecTrainer(config, false, false), Error);  // a .nemo has no analysis network
  config.code_networks = (folder_ / "codes.safetensors").string();
  CodecTrainConfig from_run = after(CodecStage::kDecoder, "mel", "from-run");
  from_run.codes = "analysis";
  const Figures ours = CodecTrainer(config, false, false).evaluate(),
                right = CodecTrainer(from_run, false, false).evaluate();
  for (const auto& [name, value] : right) EXPECT_EQ(ours.at(name), value) << name;
  from_run.code_networks = config.code_networks;
  EXPECT_THROW(CodecTrainer(from_run, false, false), Error);  // which of the two?
  run(config, false, 2);
  EXPECT_TRUE(load_networks(folder_ / "decoder").parameters.contains("analysis.in.weight"));
}

TEST_F(CodecTrainerTest, codes_of_a_recording_do_not_hang_on_how_it_is_cut) {
  run(tiny(CodecStage::kMel, "mel"), false, 2);
  at::NoGradGuard no_grad;
  const CodecFile networks = load_networks(folder_ / "mel");
  const CodecModule codec(networks.config, networks.parameters);
  write("sounds/long.wav", 150, 9, kTestRate);  // 282 frames: several pieces
  const SoundSet set({sounds() + "/long.wav"}, kTestRate, 256);
  const auto encode = [&](const at::Tensor& x) { return codec.encode(x); };
  CodeCache cache(set, codec, {{encode, codec.encoder_context()}}, at::kCPU);
  const int64_t frames = set.frames(0);
  const at::Tensor whole = codec.encode(set.samples(0, 0, frames * 256).unsqueeze(0));
  const at::Tensor expected = codec.fsq().codes(codec.fsq().quantize(whole).digits)[0];
  const double equal =
      (cache.codes(0, 0, frames) == expected).to(at::kDouble).mean().item<double>();
  EXPECT_GT(equal, 0.995);  // but for latents between two levels
  EXPECT_TRUE(at::equal(cache.codes(0, 70, 5), cache.codes(0, 0, frames).narrow(1, 70, 5)));
}

TEST_F(CodecTrainerTest, the_first_frames_count_where_a_recording_begins) {
  const CodecTrainConfig c = tiny(CodecStage::kDecoder, "unused");
  const ParameterMap parameters = random_codec(c.codec, 3);
  const CodecModule codec(c.codec, parameters);
  const SpectralLoss spectral(kTestRate, at::kCPU);
  const StageTools tools{&c, &codec, nullptr, nullptr, &spectral};
  const int64_t frames = 6, hop = c.codec.samples_per_frame, lead = c.context_frames * hop;
  CropBatch batch{.sound = (at::rand({1, frames * hop}) - 0.5).expand({2, frames * hop}),
                  .codes = at::randint(0, 10, {1, c.codec.codebooks, frames}, at::kLong)
                               .expand({2, c.codec.codebooks, frames}),
                  .starts = {true, false}};
  const StageResult mixed = stage_loss(CodecStage::kDecoder, tools, batch);
  const int64_t counted = frames * hop - lead;
  ASSERT_EQ(mixed.made.sizes(), at::IntArrayRef({2, counted}));
  EXPECT_TRUE(at::equal(mixed.real[0], batch.sound[0].narrow(0, 0, counted)));
  EXPECT_TRUE(at::equal(mixed.real[1], batch.sound[1].narrow(0, lead, counted)));
  EXPECT_TRUE(at::equal(mixed.made[0].narrow(0, lead, counted - lead),
                        mixed.made[1].narrow(0, 0, counted - lead)));
  batch.starts = {false, false};
  EXPECT_TRUE(at::equal(stage_loss(CodecStage::kDecoder, tools, batch).made[0], mixed.made[1]));
}

TEST_F(CodecTrainerTest, discriminators_take_part_with_their_weights_and_from_their_update_on) {
  run(tiny(CodecStage::kMel, "mel"));
  CodecTrainConfig config = after(CodecStage::kDecoder, "mel", "gan");
  config.critics = {.periods = {2, 3}, .period_width = 2, .ffts = {256}, .band_width = 2};
  config.adversarial_weight = 0.5;
  config.feature_weight = 3;
  config.adversarial_from = 1;
  CodecTrainConfig plain = config;
  plain.adversarial_from = -1;
  CodecTrainer with(config, false, false), without(plain, false, false);
  const CodecUpdateReport first = with.step();
  EXPECT_FALSE(first.figures.contains("deception"));
  EXPECT_EQ(first.loss, without.step().loss);
  const CodecUpdateReport both = with.step(), alone = without.step();
  EXPECT_NEAR(both.loss - alone.loss,
              0.5 * both.figures.at("deception") + 3 * both.figures.at("features"), 1e-5);
  EXPECT_GT(both.figures.at("features"), 0);
  EXPECT_NE(both.grad_norm, alone.grad_norm);
}

TEST(CodecConfig, is_read_over_the_defaults_of_its_stage) {
  const CodecTrainConfig c = read_codec_config(
      {{"training:\n  stage: decoder\n  batch_size: 7\n", "file"}}, {"levels=[8, 7, 6, 6]"});
  EXPECT_EQ(c.stage, CodecStage::kDecoder);
  EXPECT_EQ(c.batch_size, 7);
  EXPECT_EQ(c.optimizer.beta1, 0.8);  // the decoder's
  EXPECT_EQ(c.codec.levels, (std::vector<int>{8, 7, 6, 6}));
  EXPECT_EQ(resolved_yaml(read_codec_config({{resolved_yaml(c), "again"}}, {})), resolved_yaml(c));
  EXPECT_EQ(read_codec_config({}, {"adversarial_from=-1"}).adversarial_from, -1);
  for (const char* wrong :
       {"batch_sise=3", "batch_size=-1", "stage=melt", "batch_size", "levels=x"})
    EXPECT_THROW(read_codec_config({}, {wrong}), Error) << wrong;
  try {
    read_codec_config({}, {"batch_sise=3"});
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the nearest is \"batch_size\""), std::string::npos);
  }
}

TEST(CodecConfig, says_what_is_wrong) {
  CodecTrainConfig c = codec_defaults(CodecStage::kMel);
  EXPECT_THROW(c.validate(), Error);  // no data
  c.more_dilations = {9};
  c.data = {"sounds"};
  EXPECT_THROW(c.validate(), Error);  // nothing that could become deeper
  c.more_dilations.clear();
  c.validate();
  c.context_frames = c.crop_frames;
  EXPECT_THROW(c.validate(), Error);
  c = codec_defaults(CodecStage::kDecoder);
  c.data = {"sounds"};
  EXPECT_THROW(c.validate(), Error);  // nothing to start from
  c = codec_defaults(CodecStage::kMel);
  c.data = {"sounds"};
  const auto refusal = [&c](std::vector<int> rates) -> std::string {
    c.codec.decoder.rates = std::move(rates);
    try {
      c.validate();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({7, 7, 6, 3, 2}), "");
  EXPECT_NE(refusal({7}).find("encoder_rates make frames of 1764 samples, decoder_rates of 7"),
            std::string::npos)
      << refusal({7});
  EXPECT_NE(refusal({70}).find("decoder_rates has 70"), std::string::npos) << refusal({70});
}

}  // namespace
}  // namespace kani::train
