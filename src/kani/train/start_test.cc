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
  EXPECT_NE(refusal(c).find("the nearest is \"model.layers.0.ffn_norm.weight\""), std::string::npos)
      << refusal(c);
}

}  // namespace
}  // namespace kani::train
