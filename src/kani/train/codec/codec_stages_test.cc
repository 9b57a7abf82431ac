// What each weight and switch of the stages adds to the loss, against the same written out.
#include "kani/train/codec/codec_stages.h"

#include <functional>

#include "kani/train/codec/code_cache.h"
#include "kani/train/codec/codec_trainer.h"
#include "kani/train/codec/test_sounds.h"

namespace kani::train {
namespace {

using Change = std::function<void(CodecTrainConfig&)>;

// Two groups, so that dropout can only take the second.
class CodecStagesTest : public SoundTest {
 protected:
  void SetUp() override {
    SoundTest::SetUp();
    base_ = tiny(CodecStage::kMel, "unused");
    base_.codec.codebooks = 2;
    base_.rate_weight = base_.limit_weight = base_.change_weight = base_.group_dropout = 0;
    parameters_ = random_codec(base_.codec, 3);
    parameters_.merge(random_analysis(base_.codec, base_.analysis, 3));
    codec_ = std::make_unique<CodecModule>(base_.codec, parameters_);
    analysis_ = std::make_unique<AnalysisNetwork>(base_.codec, base_.analysis, parameters_);
    mel_ = std::make_unique<LogMel>(analysis_mel(base_.codec, base_.analysis.bands, at::kCPU));
    const SoundSet set({sounds()}, kTestRate, base_.codec.samples_per_frame);
    const int64_t length = base_.crop_frames * base_.codec.samples_per_frame;
    batch_.sound = at::stack({set.samples(0, 0, length), set.samples(1, 512, length)});
    heard_ = (*mel_)(batch_.sound);
    latent_ = analysis_->latent(heard_);
  }

  StageResult result(const Change& change, double progress = 1,
                     std::optional<uint64_t> noise = {}) {
    CodecTrainConfig config = base_;
    change(config);
    batch_.progress = progress;
    batch_.noise = noise;
    const StageTools tools{&config, codec_.get(), analysis_.get(), mel_.get(), nullptr};
    return stage_loss(CodecStage::kMel, tools, batch_);
  }
  double loss(const Change& change, double progress = 1, std::optional<uint64_t> noise = {}) {
    return result(change, progress, noise).loss.item<double>();
  }
  static void nothing(CodecTrainConfig&) {}

  // Of the mels that come back from these values.
  at::Tensor error(const at::Tensor& values) const {
    return analysis_->mel(codec_->front(values)) - heard_;
  }
  // Mean size behind the frames that do not count.
  double level(const at::Tensor& error) const {
    const int64_t lead = base_.context_frames * base_.codec.decoder.rates.front();
    return error.narrow(2, lead, error.size(2) - lead).abs().mean().item<double>();
  }

  at::NoGradGuard no_grad_;
  CodecTrainConfig base_;
  ParameterMap parameters_;
  std::unique_ptr<CodecModule> codec_;
  std::unique_ptr<AnalysisNetwork> analysis_;
  std::unique_ptr<LogMel> mel_;
  CropBatch batch_;
  at::Tensor heard_, latent_;
};

TEST_F(CodecStagesTest, without_any_weight_the_loss_is_the_distance_of_mels) {
  const StageResult got = result(nothing);
  EXPECT_NEAR(got.loss.item<double>(), level(error(codec_->fsq().quantize(latent_).values)), 1e-5);
  EXPECT_EQ(got.loss.item<double>(), got.figures.at("mel_l1"));
}

TEST_F(CodecStagesTest, change_weighs_how_the_error_moves) {
  const at::Tensor error = this->error(codec_->fsq().quantize(latent_).values);
  const double change = at::diff(error, 1, 2).abs().mean().item<double>();
  EXPECT_GT(change, 1e-3);
  EXPECT_NEAR(loss([](CodecTrainConfig& c) { c.change_weight = 2; }) - loss(nothing), 2 * change,
              1e-5);
}

TEST_F(CodecStagesTest, limit_weighs_what_is_beyond_it) {
  const auto limited = [](CodecTrainConfig& c) {
    c.limit_weight = 5;
    c.latent_limit = 0.05;
  };
  const double beyond = (latent_.abs() - 0.05).clamp_min(0).square().mean().item<double>();
  EXPECT_GT(beyond, 1e-4);
  EXPECT_NEAR(loss(limited) - loss(nothing), 5 * beyond, 1e-5);
}

TEST_F(CodecStagesTest, rate_grows_over_its_part_of_the_run) {
  const auto rated = [](CodecTrainConfig& c) {
    c.rate_weight = 0.5;
    c.rate_from = 0.4;
    c.rate_over = 0.2;
  };
  const double rate =
      at::log1p(codec_->fsq().quantize(latent_).compressed.abs()).mean().item<double>();
  EXPECT_GT(rate, 1e-3);
  for (const auto& [progress, share] : {std::pair{0.4, 0.0}, {0.5, 0.5}, {0.6, 1.0}, {1.0, 1.0}})
    EXPECT_NEAR(loss(rated, progress) - loss(nothing), 0.5 * share * rate, 1e-5) << progress;
}

TEST_F(CodecStagesTest, dropout_takes_the_last_groups_from_its_share_of_the_run_on) {
  const auto dropping = [](CodecTrainConfig& c) {
    c.group_dropout = 1;
    c.group_dropout_from = 0.5;
  };
  at::Tensor values = codec_->fsq().quantize(latent_).values.clone();
  values.narrow(1, values.size(1) / 2, values.size(1) / 2).zero_();
  const double half = level(error(values)), all = loss(nothing);
  EXPECT_GT(std::abs(half - all), 1e-4);
  EXPECT_NEAR(loss(dropping, 0.5, 7), half, 1e-5);
  EXPECT_EQ(loss(dropping, 0.49, 7), all);
  EXPECT_EQ(loss(dropping, 1), all);  // when measuring
  // Of many crops as many as it says.
  const auto some = [](CodecTrainConfig& c) { c.group_dropout = 0.3, c.group_dropout_from = 0; };
  int dropped = 0;
  for (uint64_t noise = 0; noise < 200; ++noise) dropped += loss(some, 1, noise) != all ? 1 : 0;
  EXPECT_NEAR(dropped / 200.0, 1 - 0.7 * 0.7, 0.1);  // of two crops at least one
}

TEST_F(CodecStagesTest, makers_of_codes_take_turns) {
  const SoundSet set({sounds()}, kTestRate, base_.codec.samples_per_frame);
  const LatentMaker heard = [&](const at::Tensor& x) { return analysis_->latent((*mel_)(x)); };
  const LatentMaker encoded = [&](const at::Tensor& x) { return codec_->encode(x); };
  const CodeMaker one{heard, kAnalysisContext}, other{encoded, codec_->encoder_context()};
  CodeCache first(set, *codec_, {one}, at::kCPU), second(set, *codec_, {other}, at::kCPU);
  CodeCache mixed(set, *codec_, {one, other}, at::kCPU);
  for (size_t recording = 0; recording < set.size(); ++recording) {
    const at::Tensor got = mixed.codes(recording, 3, 8);
    EXPECT_EQ(at::equal(got, first.codes(recording, 3, 8)), recording % 2 == 0) << recording;
    EXPECT_EQ(at::equal(got, second.codes(recording, 3, 8)), recording % 2 == 1) << recording;
  }
}

TEST_F(CodecStagesTest, codes_says_who_makes_those_that_the_decoder_learns_from) {
  {
    CodecTrainer start(tiny(CodecStage::kMel, "mel"), false, false);
    start.save();
  }
  const auto first_loss = [&](const char* codes, const std::string& data) {
    CodecTrainConfig c = tiny(CodecStage::kDecoder, "decoder");
    c.init = (folder_ / "mel").string();
    c.codes = codes;
    c.data = {data};
    c.batch_size = 4;
    c.eval_crops = 16;
    return CodecTrainer(c, false, false).evaluate().at("loss");
  };
  const std::string one = sounds() + "/a.wav";
  EXPECT_NE(first_loss("analysis", one), first_loss("encoder", one));
  EXPECT_EQ(first_loss("mixed", one), first_loss("analysis", one));  // the first is its turn
  const double mixed = first_loss("mixed", sounds());
  EXPECT_NE(mixed, first_loss("analysis", sounds()));
  EXPECT_NE(mixed, first_loss("encoder", sounds()));
  EXPECT_THROW(first_loss("none", one), Error);
}

}  // namespace
}  // namespace kani::train
