// grow_test.cc - a text model becomes one that speaks, by upstream's rule and by ours; a model from
// nothing; a language that is learnt.
#include "kani/train/grow.h"

#include "kani/train/start.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;
constexpr const char* kTable = "model.embed_tokens.weight";

class GrowTest : public RunTest {
 protected:
  // From the 448 rows of the tiny text model to the 650 of the one that speaks.
  TrainConfig first_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.model_id = kReferenceData / "tiny" / "base";
    c.growth.first_train = true;
    c.growth.audio_tokens_start = 410;
    c.growth.audio_codebook_size = 60;
    c.growth.speaker_emb_dim = 16;
    return c;
  }
  static at::Tensor old_rows() {
    return load_tensors(kReferenceData / "tiny" / "base" / "model.safetensors").at(kTable);
  }
};

TEST_F(GrowTest, parity_makes_new_rows_as_upstream_does) {
  TrainConfig c = first_config("out");
  c.parity = true;
  const Lfm2Module model = start_model(c);
  const Json golden =
      parse_json(read_file(kReferenceData / "goldens.json", 1 << 24), "goldens.json")["resize"];
  const at::Tensor table = model.parameter(kTable).detach(),
                   old = old_rows().to(at::kBFloat16).to(at::kFloat);  // as upstream loads them
  ASSERT_EQ(old.size(0), golden["rows_before"].get<int64_t>());
  ASSERT_EQ(table.size(0), golden["rows_after"].get<int64_t>());
  EXPECT_TRUE(table.slice(0, 0, 448).equal(old));
  const at::Tensor added = table.slice(0, 448);
  EXPECT_LT((added.mean(0) - old.mean(0)).abs().max().item<double>(),
            3 * golden["max_abs_diff_of_new_row_mean_to_old_mean"].get<double>());
  const double spread = golden["std_of_new_rows_over_std_of_old_rows"];
  const auto deviation = [](const at::Tensor& rows) {
    return (rows - rows.mean(0)).to(at::kDouble).square().mean().sqrt().item<double>();
  };
  EXPECT_NEAR(deviation(added) / deviation(old), spread, 0.03 * spread);
  // Drawn from the old rows' covariance, not from a ball: they spread along its first direction.
  const at::Tensor centred = (old - old.mean(0)).to(at::kDouble);
  const at::Tensor first = std::get<2>(at::linalg_svd(centred, false))[0];
  const double along =
      at::mv((added - old.mean(0)).to(at::kDouble), first).square().mean().item<double>();
  const double expected = 1e-9 * at::mv(centred, first).square().mean().item<double>();
  EXPECT_NEAR(along, expected, 0.3 * expected);
  EXPECT_NEAR(model.rope_factor(2).item<double>(), 1.05, 1e-6);
  const at::Tensor voice = model.parameter("model.speaker_emb_projection.weight").detach();
  EXPECT_EQ(voice.sizes(), (at::IntArrayRef{64, 16}));
  EXPECT_NEAR(voice.std().item<double>(), 0.02, 0.002);
}

TEST_F(GrowTest, our_rule_makes_rows_from_control_ids_on_that_differ) {
  const Lfm2Module model = start_model(first_config("out"));
  const at::Tensor table = model.parameter(kTable).detach(), text = old_rows().slice(0, 0, 400);
  EXPECT_TRUE(table.slice(0, 0, 400).equal(text));
  const at::Tensor added = table.slice(0, 400);
  const double ratio = (added.std(0) / text.std(0)).mean().item<double>();
  EXPECT_NEAR(ratio, 0.5, 0.02);
  EXPECT_LT(((added.mean(0) - text.mean(0)).abs() / text.std(0)).max().item<double>(), 0.15);
  EXPECT_NEAR(model.rope_factor(2).item<double>(), 1, 1e-6);
  EXPECT_TRUE(model.parameter(kTable).equal(start_model(first_config("out")).parameter(kTable)));
  TrainConfig other = first_config("out");
  other.seed = 7;
  EXPECT_FALSE(model.parameter(kTable).equal(start_model(other).parameter(kTable)));
}

TEST_F(GrowTest, the_head_stays_the_embedding) {
  const Lfm2Module model = start_model(first_config("out"));
  EXPECT_TRUE(model.head().is_same(model.parameter(kTable)));
  EXPECT_FALSE(model.parameters().contains("lm_head.weight"));
}

TEST_F(GrowTest, a_head_of_its_own_grows_too) {
  const fs::path folder = folder_ / "untied";
  fs::create_directories(folder);
  fs::copy(kReferenceData / "tiny" / "base" / "config.json", folder);
  ParameterMap tensors = load_tensors(kReferenceData / "tiny" / "base" / "model.safetensors");
  tensors["lm_head.weight"] = tensors[kTable] * 2;
  save_parameters(folder / "model.safetensors", tensors);
  TrainConfig c = first_config("out");
  c.model_id = folder;
  const Lfm2Module model = start_model(c);
  EXPECT_EQ(model.head().size(0), 650);
  EXPECT_TRUE(model.head().slice(0, 0, 400).equal(tensors["lm_head.weight"].slice(0, 0, 400)));
}

TEST_F(GrowTest, what_has_all_rows_already_is_left_alone) {
  TrainConfig c = first_config("out");
  c.model_id = folder_ / "base";
  const Lfm2Module grown = start_model(c), plain = load_module(folder_ / "base");
  for (const auto& [name, parameter] : plain.parameters())
    EXPECT_TRUE(parameter.equal(grown.parameter(name))) << name;
}

TEST_F(GrowTest, a_base_that_speaks_keeps_its_ids_or_is_refused) {
  TrainConfig c = first_config("out");
  c.model_id = folder_ / "base";
  c.growth.audio_tokens_start.reset();  // config.json has it
  const Lfm2Module grown = start_model(c), plain = load_module(folder_ / "base");
  EXPECT_EQ(grown.config().audio_tokens_start, 410);
  for (const auto& [name, parameter] : plain.parameters())
    EXPECT_TRUE(parameter.equal(grown.parameter(name))) << name;
  const auto refusal = [](const TrainConfig& config) -> std::string {
    try {
      start_model(config);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  c.growth.audio_tokens_start = 400;
  EXPECT_NE(refusal(c).find("its audio_tokens_start is 410, not 400"), std::string::npos)
      << refusal(c);
  c.growth.audio_tokens_start.reset();
  c.growth.audio_codebook_size = 4032;
  EXPECT_NE(refusal(c).find("speaks already, with 650 rows"), std::string::npos) << refusal(c);
}

TEST_F(GrowTest, a_grown_model_learns_and_is_exported_with_every_key) {
  TrainConfig c = first_config("out");
  c.optimizer.learning_rate = 3e-3;
  Trainer trainer(c, false);
  const double before = trainer.step().loss;
  double after = before;
  while (!trainer.done()) after = trainer.step().loss;
  EXPECT_LT(after, before - 0.3);
  trainer.save();
  EXPECT_EQ(Trainer(c, true).state().update, 12);
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  const Lfm2Module again = load_module(folder_ / "export");
  EXPECT_EQ(again.config().vocab_size, 650);
  EXPECT_EQ(again.config().audio_tokens_start, 410);
  EXPECT_EQ(again.config().speaker_emb_dim, 16);
  EXPECT_TRUE(again.config().use_learnable_rope.value());
  for (const auto& [name, parameter] : trainer.model().parameters())
    EXPECT_TRUE(parameter.equal(again.parameter(name))) << name;
}

TEST_F(GrowTest, the_exported_tokenizer_names_the_added_rows) {
  const fs::path base = folder_ / "named";
  fs::create_directories(base);
  for (const char* file : {"config.json", "model.safetensors"})
    fs::copy(kReferenceData / "tiny" / "base" / file, base);
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"})
    fs::copy(kReferenceData / "tokenizer" / file, base);
  TrainConfig c = first_config("out");
  c.model_id = base;
  Trainer trainer(c, false);
  trainer.save();
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  const TokenLayout layout = TokenLayout::of(trainer.model().config());
  const Tokenizer before = Tokenizer::load(base);
  for (const fs::path& place : {folder_ / "export", *find_checkpoint(folder_ / "out")}) {
    const Tokenizer after = Tokenizer::load(place);
    EXPECT_NO_THROW(check_tokenizer(after, load_module(place).config(), "t"));
    EXPECT_EQ(after.size(), 650);
    EXPECT_EQ(after.vocabulary_size(), before.vocabulary_size());
    // As upstream names them: ten control ids, then the codes.
    EXPECT_EQ(after.encode("<custom_token_3>"), (std::vector<int32_t>{1, layout.start_of_human}));
    EXPECT_EQ(after.encode("<custom_token_249>"),
              (std::vector<int32_t>{1, layout.audio_id(3, 59)}));
    EXPECT_EQ(after.encode("Good morning."), before.encode("Good morning."));
    EXPECT_EQ(after.encode("<custom_token_3>", AddedTokens::kPlainText),
              before.encode("<custom_token_3>"));
  }
  // What has its names already stays as it is.
  c.model_id = folder_ / "export";
  c.output_dir = folder_ / "second";
  Trainer(c, false).export_model(folder_ / "again", SavedType::kF32, false);
  EXPECT_EQ(read_file(folder_ / "again" / "tokenizer.json", 1 << 24),
            read_file(folder_ / "export" / "tokenizer.json", 1 << 24));
}

TEST_F(GrowTest, from_nothing_only_the_configuration_counts) {
  TrainConfig c = first_config("out");
  c.growth.init_from_scratch = true;
  c.growth.init_audio_rows = "normal:0.02";
  fs::create_directories(folder_ / "nothing");
  fs::copy(kReferenceData / "tiny" / "base" / "config.json", folder_ / "nothing");
  c.model_id = folder_ / "nothing";
  const Lfm2Module model = start_model(c);
  for (const auto& [name, parameter] : model.parameters()) {
    if (name.find("norm") != std::string::npos) {
      EXPECT_TRUE(parameter.equal(at::ones_like(parameter))) << name;
    } else if (parameter.dim() > 0) {
      EXPECT_NEAR(parameter.std().item<double>(), 0.02, 0.003) << name;
    }
  }
  const double loss = Trainer(c, false).step().loss;
  EXPECT_NEAR(loss, std::log(650), 0.5);
}

TEST_F(GrowTest, settings_that_make_no_sense_are_refused) {
  for (const char* setting :
       {"init_audio_rows=median", "init_audio_rows=normal:", "init_audio_rows=normal:-1",
        "alpha_init=2", "audio_tokens_start=3", "audio_codebook_size=0", "alpha_min=1.5",
        "lora_rank=4", "audio_codebook_size=9"}) {
    TrainConfig c = first_config("out");
    const std::string text = setting, key = text.substr(0, text.find('='));
    apply_setting(key, text.substr(key.size() + 1), c);
    EXPECT_THROW(Trainer(c, false), Error) << setting;
  }
}

// Clips whose text begins with the tag, as kani-data makes them.
class LanguageTest : public RunTest {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    fs::copy(kReferenceData / "tokenizer" / "tokenizer.json", folder_ / "base");
    tag_ = Tokenizer::load(folder_ / "base").encode("ky: ", AddedTokens::kPlainText);
    tag_.pop_back();
    write_shard(folder_ / "data.kshard", [this](TrainingClip& clip, size_t i) {
      if (i % 2 == 1) return;
      clip.language = "ky";
      clip.text.insert(clip.text.begin(), tag_.begin(), tag_.end());
    });
  }
  std::vector<int32_t> tag_;
};

TEST_F(LanguageTest, a_new_language_stands_in_the_exported_configuration) {
  TrainConfig c = config("out");
  c.add_languages = {"ky"};
  Trainer trainer(c, false);
  trainer.step();
  trainer.save();
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  for (const fs::path& place : {folder_ / "export", *find_checkpoint(folder_ / "out")}) {
    const Lfm2Config found = load_module(place).config();
    EXPECT_TRUE(found.language_tags_available);
    EXPECT_EQ(found.language_tags, std::vector<std::string>{"ky"});
  }
  c.model_id = folder_ / "export";  // once more: it is there already, the next one comes behind it
  write_shard(folder_ / "data.kshard",
              [](TrainingClip& clip, size_t i) { clip.language = i % 2 == 0 ? "ky" : "tr"; });
  fs::remove(folder_ / "export" / "tokenizer.json");
  c.add_languages = {"ky", "tr"};
  EXPECT_EQ(start_model(c).config().language_tags, (std::vector<std::string>{"ky", "tr"}));
}

TEST_F(LanguageTest, data_that_does_not_teach_it_is_refused) {
  TrainConfig c = config("out");
  for (const char* wrong : {"tr", "a b", "", "a:b"}) {
    c.add_languages = {wrong};
    EXPECT_THROW(Trainer(c, false), Error) << wrong;
  }
  c.add_languages = {"ky"};
  write_shard(folder_ / "data.kshard",
              [](TrainingClip& clip, size_t) { clip.language = "ky"; });  // without its tag
  EXPECT_THROW(Trainer(c, false), Error);
}

TEST_F(LanguageTest, validation_tells_its_loss_beside_the_others) {
  TrainConfig c = config("out");
  c.add_languages = {"ky"};
  c.valid_data = c.data;
  Trainer trainer(c, false);
  EXPECT_GT(trainer.evaluate()->language_loss.at("ky"), 0);
  EXPECT_GT(trainer.evaluate()->language_loss.at(""), 0);
}

}  // namespace
}  // namespace kani::train
