// start_test.cc - bases that are no folder, tensors that nobody expects, parts of names that are in
// no name.
#include "kani/train/start.h"

#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class StartTest : public RunTest {
 protected:
  // What starting is refused with: message and hint.
  static std::string refusal(const TrainConfig& c) {
    try {
      check_base(c);
      start_model(c);
      return "";
    } catch (const Error& error) {
      return concat(error.what(), "\n", error.hint());
    }
  }
  void add_tensors(const std::vector<std::string>& names) const {
    const fs::path file = folder_ / "base" / "model.safetensors";
    ParameterMap tensors = load_tensors(file);
    for (const std::string& name : names) tensors[name] = at::ones({3});
    save_parameters(file, tensors);
  }
};

TEST_F(StartTest, names_of_a_hub_are_told_from_folders_that_are_missing) {
  TrainConfig c = config("out");
  EXPECT_EQ(refusal(c), "");
  c.model_id = "LiquidAI/LFM2-350M";
  std::string why = refusal(c);
  EXPECT_NE(why.find("must be a folder"), std::string::npos) << why;
  EXPECT_NE(why.find("Hugging Face"), std::string::npos) << why;
  EXPECT_NE(why.find("--model LFM2-350M"), std::string::npos) << why;
  c.model_id = folder_ / "nothing";
  why = refusal(c);
  EXPECT_NE(why.find("must be a folder"), std::string::npos) << why;
  EXPECT_EQ(why.find("Hugging Face"), std::string::npos) << why;
}

TEST_F(StartTest, surplus_tensors_are_refused_by_name) {
  add_tensors({"model.layers.0.surprise.weight", "model.extra.bias"});
  TrainConfig c = config("out");
  const std::string why = refusal(c);
  for (const char* part :
       {"model.layers.0.surprise.weight", "model.extra.bias", "unexpected", "allow_unexpected"})
    EXPECT_NE(why.find(part), std::string::npos) << why;
  c.allow_unexpected = {"model.layers.*.surprise.weight"};
  EXPECT_NE(refusal(c).find("unexpected tensors: model.extra.bias"), std::string::npos);
  c.allow_unexpected.emplace_back("model.extra.bias");
  EXPECT_EQ(refusal(c), "");
}

TEST_F(StartTest, a_text_model_with_surplus_tensors_is_refused_too) {
  fs::remove_all(folder_ / "base");
  fs::copy(kReferenceData / "tiny" / "base", folder_ / "base");
  TrainConfig c = config("out");
  c.growth.first_train = true;
  c.growth.audio_tokens_start = 410;
  c.growth.audio_codebook_size = 60;
  c.growth.speaker_emb_dim = 16;
  EXPECT_EQ(refusal(c), "");
  add_tensors({"model.layers.0.surprise.weight"});
  EXPECT_NE(refusal(c).find("surprise"), std::string::npos);
}

TEST_F(StartTest, what_checkpoints_are_known_to_hold_beside_is_no_surplus) {
  const fs::path file = folder_ / "base" / "model.safetensors";
  ParameterMap tensors = load_tensors(file);
  tensors["lm_head.weight"] = tensors.at("model.embed_tokens.weight").clone();
  save_parameters(file, tensors);
  add_tensors({"model.rotary_emb.inv_freq", "model.layers.2.self_attn.rotary_emb.inv_freq"});
  TrainConfig c = config("out");
  EXPECT_EQ(refusal(c), "");
  c.growth.use_learnable_rope = false;  // its factors are left out, with a warning
  EXPECT_EQ(refusal(c), "");
}

// What a base's config.json says of Kani's own keys.
void set_key(const fs::path& base, const char* name, const Json& value) {
  const fs::path path = base / "config.json";
  Json config = parse_json(read_file(path, kMaxConfigBytes), "config");
  config[name] = value;
  write_file(path, dump_json(config));
}

TEST_F(StartTest, a_frame_takes_the_positions_that_the_base_says_unless_it_is_told_otherwise) {
  TrainConfig c = config("whole");
  const double whole = Trainer(c, false).step().loss;
  set_key(folder_ / "base", "audio_step", 0.5);
  EXPECT_EQ(start_model(c).config().audio_step, 0.5);
  c.output_dir = folder_ / "half";
  Trainer trainer(c, false);
  EXPECT_EQ(trainer.config().sequence.audio_step, 0.5);
  const double half = trainer.step().loss;
  EXPECT_NE(half, whole);
  trainer.save();
  trainer.export_model(folder_ / "export", SavedType::kF32, false);
  EXPECT_EQ(load_module(folder_ / "export").config().audio_step, 0.5);
  EXPECT_EQ(Trainer(c, /*resume=*/true).state().update, 1);
  c.output_dir = folder_ / "told";
  c.growth.audio_step = 0.5;
  EXPECT_EQ(Trainer(c, false).step().loss, half);
  c.growth.audio_step = 1;
  EXPECT_EQ(Trainer(c, false).step().loss, whole);
  c.growth.audio_step = 0;
  EXPECT_THROW(Trainer(c, false), Error);
}

TEST_F(StartTest, alpha_init_counts_where_a_factor_is_made) {
  TrainConfig c = config("out");
  c.growth.first_train = true;
  c.growth.audio_tokens_start = 410;
  c.growth.audio_codebook_size = 60;
  c.growth.speaker_emb_dim = 16;
  c.growth.alpha_min = 1;     // the default of 1 is its end
  EXPECT_EQ(refusal(c), "");  // the factors are there already
  c.model_id = kReferenceData / "tiny" / "base";
  EXPECT_NE(refusal(c).find("alpha_init is 1, must be between"), std::string::npos) << refusal(c);
  c.parity = true;
  EXPECT_NEAR(start_model(c).rope_factor(2).item<double>(), 1.5, 1e-6);
  c.growth.alpha_init = 1.25;
  EXPECT_NE(refusal(c).find("alpha_init contradicts parity"), std::string::npos) << refusal(c);
  c.growth.alpha_init = 1.5;
  EXPECT_EQ(refusal(c), "");
  c.parity = false;
  c.growth.use_learnable_rope = false;
  c.growth.alpha_init = 7;
  EXPECT_EQ(refusal(c), "");
}

TEST_F(StartTest, parity_from_nothing_begins_in_the_middle_of_the_range_too) {
  TrainConfig c = config("out");
  c.growth.init_from_scratch = true;
  c.parity = true;
  EXPECT_NEAR(start_model(c).rope_factor(2).item<double>(), 1.05, 1e-6);
  c.parity = false;
  EXPECT_NEAR(start_model(c).rope_factor(2).item<double>(), 1, 1e-6);
}

// Voices of 16 numbers in files that do not say so, as upstream writes them.
TEST_F(StartTest, first_train_takes_a_complete_model_with_voices_of_any_size) {
  TrainConfig c = config("out");
  const fs::path path = folder_ / "base" / "config.json";
  Json keys = parse_json(read_file(path, kMaxConfigBytes), "config");
  keys.erase("speaker_emb_dim");
  write_file(path, dump_json(keys));
  c.growth.first_train = true;
  c.growth.audio_tokens_start = 410;
  c.growth.audio_codebook_size = 60;
  c.growth.speaker_emb_dim = 16;
  EXPECT_EQ(refusal(c), "");
  EXPECT_EQ(start_model(c).config().speaker_emb_dim, 16);
}

// Upstream loads its base in bf16 and computes in float32 (training.md 7.1).
TEST_F(StartTest, parity_rounds_the_weights_of_a_text_model_once) {
  fs::remove_all(folder_ / "base");
  fs::copy(kReferenceData / "tiny" / "base", folder_ / "base");
  ParameterMap tensors = load_tensors(folder_ / "base" / "model.safetensors");
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat) * 1.0001F;
  save_parameters(folder_ / "base" / "model.safetensors", tensors);
  TrainConfig c = config("out");
  c.growth.first_train = true;
  c.growth.audio_tokens_start = 410;
  c.growth.audio_codebook_size = 60;
  c.growth.speaker_emb_dim = 16;
  const char* name = "model.layers.0.feed_forward.w1.weight";
  const at::Tensor stored = tensors.at(name);
  EXPECT_TRUE(start_model(c).parameter(name).equal(stored));
  c.parity = true;
  const Lfm2Module model = start_model(c);
  EXPECT_FALSE(model.parameter(name).equal(stored));
  EXPECT_TRUE(model.parameter(name).equal(stored.to(at::kBFloat16).to(at::kFloat)));
  EXPECT_TRUE(model.parameter(name).requires_grad());
}

TEST_F(StartTest, parts_of_names_that_are_in_no_name_are_refused_with_the_nearest) {
  TrainConfig c = config("out");
  c.freeze = {"embd_tokens"};
  std::string why = refusal(c);
  EXPECT_NE(why.find("freeze: \"embd_tokens\""), std::string::npos) << why;
  EXPECT_NE(why.find("the nearest is \"embed_tokens\""), std::string::npos) << why;
  c.freeze = {"embed_tokens", "layers.0."};
  EXPECT_EQ(refusal(c), "");
  c.group_lr = {"embed_tokens=0.1", "ffn_nrom=0.1"};
  why = refusal(c);
  EXPECT_NE(why.find("group_lr: \"ffn_nrom\""), std::string::npos) << why;
  EXPECT_NE(why.find("the nearest is \"ffn_norm\""), std::string::npos) << why;
  c.group_lr = {"layer.0.ffn_norm=0.1"};
  EXPECT_NE(refusal(c).find("the nearest is \"layers.0.ffn_norm\""), std::string::npos)
      << refusal(c);
  c.group_lr.clear();
  c.freeze = {"embd"};
  EXPECT_NE(refusal(c).find("the nearest is \"embed\""), std::string::npos) << refusal(c);
  for (const char* unlike : {"0x", "foo", "everything"}) {
    c.freeze = {unlike};
    why = refusal(c);
    EXPECT_NE(why.find("is in no parameter's name\n"), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace kani::train
