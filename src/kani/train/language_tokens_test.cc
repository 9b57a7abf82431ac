// language_tokens_test.cc - a language under a token of its own: its id, its row, its clips, and
// what is exported.
#include "kani/train/language_tokens.h"

#include "kani/train/row_names.h"
#include "kani/train/start.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;
constexpr const char* kTable = "model.embed_tokens.weight";

class LanguageTokenTest : public RunTest {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    fs::copy(kReferenceData / "tokenizer" / "tokenizer.json", folder_ / "base");
    const Tokenizer tokenizer = Tokenizer::load(folder_ / "base");
    write_shard(folder_ / "data.kshard", [&](TrainingClip& clip, size_t i) {
      clip.language = i % 2 == 0 ? "ky" : "en";
      clip.text = tokenizer.encode(clip.language + ": Good morning.", AddedTokens::kPlainText);
    });
  }
  TrainConfig token_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.add_languages = {"ky=<|ky|>"};
    return c;
  }
  static void expect_grown(const Lfm2Config& model) {
    EXPECT_EQ(model.vocab_size, 651);
    EXPECT_EQ(model.codebook_size(), 60);
    EXPECT_EQ(model.language_tokens, (std::map<std::string, std::string>{{"ky", "<|ky|>"}}));
    EXPECT_EQ(model.language_tags, std::vector<std::string>{"<|ky|>"});
    EXPECT_TRUE(model.language_tags_available);
  }
};

TEST_F(LanguageTokenTest, its_id_lies_behind_the_audio_ids_and_its_row_is_that_of_its_pieces) {
  std::vector<LanguageToken> tokens;
  const Lfm2Module model = start_model(token_config("out"), &tokens);
  expect_grown(model.config());
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].id, 650);
  const std::vector<int32_t> pieces =
      Tokenizer::load(folder_ / "base").encode("ky", AddedTokens::kPlainText);
  EXPECT_EQ(tokens[0].pieces, std::vector<int32_t>(pieces.begin() + 1, pieces.end()));
  const at::Tensor old = load_module(folder_ / "base").parameter(kTable).detach(),
                   now = model.parameter(kTable).detach();
  EXPECT_TRUE(now.slice(0, 0, 650).equal(old));
  at::Tensor mean = at::zeros({64});
  for (size_t i = 1; i < pieces.size(); ++i) mean += old[pieces[i]];
  mean /= static_cast<double>(pieces.size() - 1);
  EXPECT_LT((now[650] - mean).abs().max().item<double>(), 1e-6);
  EXPECT_TRUE(model.parameter(kTable).requires_grad());
}

TEST_F(LanguageTokenTest, it_is_trained_exported_and_found_again) {
  const TrainConfig c = token_config("out");
  Trainer trainer(c, false);
  const at::Tensor before = trainer.model().parameter(kTable).detach()[650].clone();
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(trainer.step().skipped);
  EXPECT_GT((trainer.model().parameter(kTable).detach()[650] - before).norm().item<double>(), 1e-4);
  trainer.save();
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  EXPECT_EQ(Trainer(c, true).state().update, 6);
  for (const fs::path& place : {folder_ / "export", *find_checkpoint(folder_ / "out")}) {
    const Lfm2Config found = load_module(place).config();
    expect_grown(found);
    const Tokenizer tokenizer = Tokenizer::load(place);
    EXPECT_NO_THROW(check_tokenizer(tokenizer, found, "t"));
    EXPECT_EQ(tokenizer.encode("<|ky|>"), (std::vector<int32_t>{1, 650}));
    // What the engine asks for is what the clips have.
    const std::vector<int32_t> asked =
        encode(tokenizer, tagged_text(found, "Good morning.", "ky"), AddedTokens::kPlainText);
    EXPECT_EQ(trainer.clips().clip(0).text, asked);
    EXPECT_EQ(asked[1], 650);
    EXPECT_EQ(
        trainer.clips().clip(1).text,
        encode(tokenizer, tagged_text(found, "Good morning.", "en"), AddedTokens::kPlainText));
    check_tokenizer(tokenizer, found, "t");
  }
  // From there on: nothing is added twice, and clips need no flag.
  for (const bool again : {true, false}) {
    TrainConfig next = config(again ? "again" : "next");
    next.model_id = folder_ / "export";
    if (again) next.add_languages = c.add_languages;
    Trainer second(next, false);
    expect_grown(second.model().config());
    EXPECT_EQ(second.clips().clip(0).text[1], 650);
    EXPECT_FALSE(second.step().skipped);
    second.export_model(folder_ / "export2", SavedType::kF32, false);
    EXPECT_EQ(read_file(folder_ / "export2" / "tokenizer.json", 1 << 24),
              read_file(folder_ / "export" / "tokenizer.json", 1 << 24));
  }
}

TEST_F(LanguageTokenTest, a_free_text_id_is_taken_first) {
  Lfm2Config model;
  model.audio_tokens_start = 411;  // 401 ids for text, of which the tokenizer has 400
  model.vocab_size = 411 + 4 * 60;
  const auto tokens = language_tokens({"ky=<|ky|>", "tr=<|tr|>"}, folder_ / "base", model);
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, 400);
  EXPECT_EQ(tokens[1].id, 651);
  ParameterMap parameters{{kTable, at::arange(651).to(at::kFloat).unsqueeze(1)}};
  Lfm2Config one = model;
  add_language_tokens({tokens[0]}, one, parameters);
  EXPECT_EQ(one.vocab_size, 651);
  EXPECT_EQ(one.audio_codebook_size, 0);
  EXPECT_EQ(parameters[kTable].size(0), 651);
  EXPECT_EQ(parameters[kTable][401].item<float>(), 401);
  EXPECT_NE(parameters[kTable][400].item<float>(), 400);
  add_language_tokens(tokens, one, parameters);
  EXPECT_EQ(one.vocab_size, 652);
  EXPECT_EQ(one.codebook_size(), 60);
  // Ids between are named too: other programs number added tokens without gaps.
  const Tokenizer named =
      Tokenizer::parse(named_tokenizer(folder_ / "base", one, tokens, false), "", "t");
  EXPECT_EQ(named.size(), 652);
  EXPECT_EQ(named.encode("<|ky|><|tr|><custom_token_0>"), (std::vector<int32_t>{1, 400, 651, 401}));
}

TEST_F(LanguageTokenTest, clips_without_the_tag_stay_as_they_are) {
  const std::vector<LanguageToken> tokens{{"ky", "<|ky|>", 650, {7, 8}}};
  TrainingClip clip;
  clip.language = "ky";
  for (const std::vector<int32_t>& text :
       {std::vector<int32_t>{1, 7, 9}, {1, 7}, {1}, {}, {1, 650, 9}}) {
    clip.text = text;
    put_language_token(tokens, clip);
    EXPECT_EQ(clip.text, text);
  }
  clip.text = {1, 7, 8, 9};
  put_language_token(tokens, clip);
  EXPECT_EQ(clip.text, (std::vector<int32_t>{1, 650, 9}));
}

TEST_F(LanguageTokenTest, what_makes_no_sense_is_refused) {
  for (const char* entry : {"ky=", "=<|ky|>", "ky=a b", "ky=a:b", "ky=<|startoftext|>", "tr=<|tr|>",
                            "ky=/data/ky", "ky=..", "ky=tmp/ky"}) {
    TrainConfig c = config("out");
    c.add_languages = {entry};
    EXPECT_THROW(Trainer(c, false), Error) << entry;
  }
  TrainConfig c = token_config("out");
  c.lora.rank = 4;
  EXPECT_THROW(Trainer(c, false), Error);
  c = token_config("out");
  c.add_languages.push_back("ky=<|kg|>");
  EXPECT_THROW(Trainer(c, false), Error);
  fs::remove(folder_ / "base" / "tokenizer.json");
  EXPECT_THROW(Trainer(token_config("out"), false), Error);
}

}  // namespace
}  // namespace kani::train
