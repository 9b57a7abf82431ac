// lora_test.cc - adapters: derivatives, a start that changes nothing, merging, what stays as it is,
// files as PEFT has them, runs that go on bit for bit.
#include "kani/train/lora.h"

#include "kani/train/ops.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTwoTargets{"q_proj", "conv.out_proj"};

PackedBatch some_batch(const Lfm2Config& config, bool voices) {
  const TokenLayout layout = TokenLayout::of(config);
  PackedBatch batch;
  for (const int clip_number : {0, 1}) {
    TrainingClip clip;
    clip.text = {1, 20 + clip_number, 33};
    for (int i = 0; i < 8; ++i) clip.codes.push_back((7 * i + clip_number) % 60);
    std::vector<float> voice(voices ? 16 : 0, 0.25F);
    batch.add(layout, {}, clip_ids(layout, clip, {}), voice, clip_number);
  }
  return batch;
}

class LoraTest : public RunTest {
 protected:
  // The tiny model with adapters that are no longer zero.
  Lfm2Module adapted(const LoraSettings& settings) const {
    at::manual_seed(3);
    Lfm2Module base = load_module(folder_ / "base");
    ParameterMap parameters = base.parameters();
    add_adapters(settings, 1, parameters);
    at::NoGradGuard no_grad;
    for (auto& [name, parameter] : parameters) {
      if (name.ends_with("lora_B.weight")) parameter.normal_(0, 0.1);
    }
    return {base.config(), parameters, {.adapter_scale = settings.scale()}};
  }

  TrainConfig lora_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.lora.rank = 4;
    c.lora.alpha = 8;
    c.lora.dropout = 0.2;
    c.lora.also_trained = {"speaker_emb_projection", "alpha_weight"};
    c.optimizer.learning_rate = 3e-3;
    return c;
  }
};

TEST_F(LoraTest, gradients_of_A_and_B_are_those_of_differences) {
  Lfm2Module single = adapted({.rank = 3, .alpha = 6, .dropout = 0});
  ParameterMap wide;
  for (const auto& [name, parameter] : single.parameters()) {
    wide[name] = parameter.detach().to(at::kDouble).set_requires_grad(parameter.requires_grad());
  }
  Lfm2Module model(single.config(), wide, single.rules());
  const PackedBatch batch = some_batch(model.config(), /*voices=*/false);
  const at::Tensor direction = at::randn_like(model.forward(batch));
  (model.forward(batch) * direction).sum().backward();
  (single.forward(batch) * direction.to(at::kFloat)).sum().backward();
  int checked = 0;
  for (auto& [name, parameter] : model.parameters()) {
    if (!parameter.requires_grad()) {
      EXPECT_FALSE(parameter.grad().defined()) << name;
      continue;
    }
    at::NoGradGuard no_grad;
    at::Tensor flat = parameter.view({-1});
    const at::Tensor grad = parameter.grad().view({-1});
    for (const int64_t k : {int64_t{0}, flat.size(0) / 2, flat.size(0) - 1}) {
      const auto value = [&](double by) {
        flat[k] += by;
        const double sum = (model.forward(batch) * direction).sum().item<double>();
        flat[k] -= by;
        return sum;
      };
      const double slope = (value(1e-4) - value(-1e-4)) / 2e-4;
      EXPECT_NEAR(grad[k].item<double>(), slope, 1e-5 * (1 + std::abs(slope))) << name << " " << k;
      ++checked;
    }
    const at::Tensor fused = single.parameter(name).grad().to(at::kDouble).view({-1});
    EXPECT_LT((fused - grad).norm().item<double>(), 1e-4 * grad.norm().item<double>()) << name;
  }
  EXPECT_EQ(checked, 3 * 2 * (4 * 2 + 2 * 4 + 6 * 3));  // A and B of conv, attention, feed forward
}

TEST_F(LoraTest, a_new_adapter_leaves_the_model_as_it_was) {
  const Lfm2Module base = load_module(folder_ / "base");
  ParameterMap parameters = base.parameters();
  const PackedBatch batch = some_batch(base.config(), true);
  const at::Tensor before = base.forward(batch).detach();
  add_adapters({.rank = 4}, 1, parameters);
  const Lfm2Module model(base.config(), parameters, {.adapter_scale = 8});
  EXPECT_TRUE(model.forward(batch).equal(before));
}

TEST_F(LoraTest, the_merged_model_gives_the_same_logits) {
  const LoraSettings settings{.rank = 4, .alpha = 8, .targets = {"*"}};
  const Lfm2Module model = adapted(settings);
  const PackedBatch batch = some_batch(model.config(), true);
  at::NoGradGuard no_grad;
  const Lfm2Module plain(model.config(), merged(model.parameters(), settings.scale()));
  EXPECT_FALSE(has_adapters(plain.parameters()));
  const at::Tensor a = at::mm(model.forward(batch), model.head().t());
  const at::Tensor b = at::mm(plain.forward(batch), plain.head().t());
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-5 * a.abs().max().item<double>());
  const Lfm2Module base = load_module(folder_ / "base");
  EXPECT_GT((at::mm(base.forward(batch), base.head().t()) - a).abs().max().item<double>(), 0.1);
  const at::Tensor w = base.parameter("model.layers.0.feed_forward.w1.weight"),
                   B = model.parameter("model.layers.0.feed_forward.w1.lora_B.weight"),
                   A = model.parameter("model.layers.0.feed_forward.w1.lora_A.weight");
  EXPECT_TRUE(
      plain.parameter("model.layers.0.feed_forward.w1.weight").equal(w + at::mm(B, A) * 2.0));
}

TEST_F(LoraTest, targets_are_ends_of_names) {
  const ParameterMap parameters = load_module(folder_ / "base").parameters();
  EXPECT_EQ(lora_modules(parameters, kTwoTargets),
            (std::vector<std::string>{
                "model.layers.0.conv.out_proj", "model.layers.1.conv.out_proj",
                "model.layers.2.self_attn.q_proj", "model.layers.3.conv.out_proj",
                "model.layers.4.self_attn.q_proj", "model.layers.5.conv.out_proj"}));
  EXPECT_EQ(lora_modules(parameters, {"out_proj"}).size(), 6u);  // of both kinds
  EXPECT_EQ(lora_modules(parameters, {"model.layers.2.*"}).size(), 7u);
  EXPECT_EQ(lora_modules(parameters, {"speaker_emb_projection"}).size(), 1u);
  for (const char* wrong : {"_proj", "conv.conv", "embed_tokens", "lm_head", "ffn_norm"}) {
    try {
      lora_modules(parameters, {"q_proj", wrong});
      FAIL() << wrong;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(wrong), std::string::npos) << error.what();
    }
  }
}

TEST_F(LoraTest, the_scale_is_alpha_over_rank_or_over_its_root) {
  EXPECT_EQ((LoraSettings{.rank = 16, .alpha = 32}.scale()), 2);
  EXPECT_EQ((LoraSettings{.rank = 16, .alpha = 32, .rank_stabilized = true}.scale()), 8);
}

TEST_F(LoraTest, settings_that_make_no_sense_are_refused) {
  for (const char* setting :
       {"lora_alpha=0", "lora_dropout=1", "lora_targets=[]", "freeze=embed", "lora_targets=nothing",
        "modules_to_save=nothing", "trainable_token_indices=[x]", "trainable_token_indices=[9-3]",
        "trainable_token_indices=[100000]"}) {
    TrainConfig c = lora_config("out");
    const std::string text = setting, key = text.substr(0, text.find('='));
    apply_setting(key, text.substr(key.size() + 1), c);
    EXPECT_THROW(Trainer(c, false), Error) << setting;
  }
}

TEST_F(LoraTest, all_but_the_adapters_stays_bit_for_bit) {
  TrainConfig c = lora_config("out");
  c.max_steps = 20;
  Trainer trainer(c, false);
  const Lfm2Module base = load_module(folder_ / "base");
  const double before = trainer.step().loss;
  double after = 0;
  while (!trainer.done()) after = trainer.step().loss;
  EXPECT_LT(after, before);
  int trained = 0;
  for (const auto& [name, parameter] : base.parameters()) {
    const bool whole = name.find("speaker_emb_projection") != std::string::npos ||
                       name.find("alpha_weight") != std::string::npos;
    EXPECT_EQ(parameter.equal(trainer.model().parameter(name)), !whole) << name;
    trained += whole ? 1 : 0;
  }
  EXPECT_EQ(trained, 3);
}

TEST_F(LoraTest, rows_of_the_embedding_are_trained_beside_the_adapters) {
  TrainConfig c = lora_config("out");
  c.lora.token_rows = {"420-424", "1"};  // 400 is where audio ids begin
  EXPECT_EQ(c.lora.token_ids(), (std::vector<int64_t>{1, 420, 421, 422, 423, 424}));
  c.valid_data = c.data;
  Trainer trainer(c, false);
  const at::Tensor table = load_module(folder_ / "base").parameter("model.embed_tokens.weight");
  const at::Tensor start = trainer.model().parameter(kTokenRows).detach().clone();
  EXPECT_TRUE(start.equal(table.index_select(0, at::tensor(c.lora.token_ids(), at::kLong))));
  for (int i = 0; i < 6; ++i) trainer.step();
  trainer.save();
  EXPECT_TRUE(trainer.model().parameter("model.embed_tokens.weight").equal(table));
  const at::Tensor rows = trainer.model().parameter(kTokenRows).detach();
  EXPECT_GT((rows - start).abs().amax(1).min().item<double>(), 1e-4) << "all of them learn";

  // PEFT's files, and the whole model.
  const fs::path folder = *find_checkpoint(folder_ / "out");
  const Json json =
      parse_json(read_file(folder / "adapter_config.json", kMaxConfigBytes), "adapter_config");
  EXPECT_EQ(dump_json(json["trainable_token_indices"]), "[1,420,421,422,423,424]");
  EXPECT_TRUE(load_tensors(folder / "adapter_model.safetensors")
                  .at(concat("base_model.model.", kTokenRows))
                  .equal(rows));
  trainer.export_model(folder_ / "whole", SavedType::kF32, false);
  const Lfm2Module whole = load_module(folder_ / "whole");
  const at::Tensor exported = whole.parameter("model.embed_tokens.weight");
  EXPECT_TRUE(exported[422].equal(rows[3]));
  EXPECT_TRUE(exported[419].equal(table[419]));
  TrainConfig measure = config("elsewhere");
  measure.model_id = folder_ / "whole";
  measure.valid_data = c.data;
  EXPECT_NEAR(Trainer(measure, false).evaluate()->loss, trainer.evaluate()->loss, 1e-5);

  Trainer again(c, true);  // from its files
  EXPECT_TRUE(again.model().parameter(kTokenRows).equal(rows));
  EXPECT_EQ(again.step().loss, trainer.step().loss);
}

// The row's gradient is that of the whole table's, where it is looked up and where it is the head.
TEST_F(LoraTest, a_trained_row_has_the_gradient_that_it_has_in_the_table) {
  const LoraSettings settings{.rank = 4, .alpha = 8, .token_rows = {"1", "430"}};
  Lfm2Module base = load_module(folder_ / "base");
  const PackedBatch batch = some_batch(base.config(), true);
  ParameterMap parameters;
  for (const auto& [name, tensor] : base.parameters()) parameters[name] = tensor.detach().clone();
  add_adapters(settings, 1, parameters);
  const Lfm2Module adapted(base.config(), parameters,
                           {.adapter_scale = settings.scale(), .token_rows = settings.token_ids()});
  for (auto& [name, tensor] : base.parameters()) tensor.set_requires_grad(true);
  const auto loss = [&](const Lfm2Module& model) {
    return at::mm(model.forward(batch), model.head().t()).square().mean();
  };
  loss(base).backward();
  loss(adapted).backward();
  const at::Tensor wanted =
      base.parameter("model.embed_tokens.weight").grad().index_select(0, at::tensor({1, 430}));
  const at::Tensor got = adapted.parameter(kTokenRows).grad();
  EXPECT_LT((got - wanted).abs().max().item<double>(), 1e-5 * wanted.abs().max().item<double>());
}

TEST_F(LoraTest, a_run_that_is_stopped_goes_on_bit_for_bit) {
  TrainConfig c = lora_config("whole");
  c.ema_decay = 0.9;
  Trainer whole(c, false);
  std::vector<double> losses;
  while (!whole.done()) losses.push_back(whole.step().loss);
  whole.save();
  c.output_dir = folder_ / "part";
  {
    Trainer part(c, false);
    for (int i = 0; i < 5; ++i) part.step();
    part.save();
  }
  EXPECT_FALSE(fs::exists(*find_checkpoint(c.output_dir) / "model.safetensors"));
  Trainer again(c, true);
  for (size_t i = 5; i < 12; ++i) EXPECT_EQ(again.step().loss, losses[i]);
  again.save();
  for (const char* file :
       {"adapter_model.safetensors", "adapter_config.json", "ema-00000-of-00001.safetensors",
        "optim-00000-of-00001.safetensors", "state.json"}) {
    EXPECT_EQ(read_file(*find_checkpoint(c.output_dir) / file, 1 << 24),
              read_file(*find_checkpoint(folder_ / "whole") / file, 1 << 24))
        << file;
  }
}

TEST_F(LoraTest, adapters_of_another_base_are_refused) {
  const TrainConfig c = lora_config("out");
  Trainer trainer(c, false);
  trainer.step();
  trainer.save();
  ParameterMap other = load_module(folder_ / "base").parameters();
  {
    at::NoGradGuard no_grad;
    other["model.embed_tokens.weight"][0][0] += 1;
  }
  save_parameters(folder_ / "base" / "model.safetensors", other);
  EXPECT_THROW(Trainer(c, true), Error);
}

TEST_F(LoraTest, files_are_laid_out_as_PEFT_has_them) {
  Trainer trainer(lora_config("out"), false);
  trainer.step();
  trainer.save();
  const fs::path folder = *find_checkpoint(folder_ / "out");
  const Json json =
      parse_json(read_file(folder / "adapter_config.json", kMaxConfigBytes), "adapter_config");
  EXPECT_EQ(json["peft_type"], "LORA");
  EXPECT_EQ(json["r"], 4);
  EXPECT_EQ(dump_json(json["lora_alpha"]), "8");
  EXPECT_EQ(json["base_model_name_or_path"], (folder_ / "base").string());
  EXPECT_EQ(json["target_modules"].size(), 34u);
  EXPECT_EQ(json["modules_to_save"].size(), 3u);
  const ParameterMap file = load_tensors(folder / "adapter_model.safetensors");
  EXPECT_EQ(file.size(), 2u * 34 + 3);
  const at::Tensor a = file.at("base_model.model.model.layers.2.self_attn.k_proj.lora_A.weight");
  const at::Tensor b = file.at("base_model.model.model.layers.2.self_attn.k_proj.lora_B.weight");
  EXPECT_EQ(a.sizes(), (at::IntArrayRef{4, 64}));
  EXPECT_EQ(b.sizes(), (at::IntArrayRef{32, 4}));
  EXPECT_TRUE(file.contains("base_model.model.model.speaker_emb_projection.weight"));
}

TEST_F(LoraTest, what_is_exported_is_the_merged_model) {
  TrainConfig c = lora_config("out");
  c.valid_data = c.data;
  c.ema_decay = 0.5;
  Trainer trainer(c, false);
  for (int i = 0; i < 6; ++i) trainer.step();
  for (const bool averaged : {false, true}) {
    const fs::path place = folder_ / (averaged ? "mean" : "last");
    trainer.export_model(place, SavedType::kF32, averaged);
    const Lfm2Module plain = load_module(place);
    EXPECT_FALSE(has_adapters(plain.parameters()));
    TrainConfig measure = config("elsewhere");
    measure.model_id = place;
    measure.valid_data = c.data;
    EXPECT_NEAR(Trainer(measure, false).evaluate()->loss, trainer.evaluate(averaged)->loss, 1e-5);
  }
}

TEST(Dropout, zeroes_its_share_and_keeps_the_mean_the_same_for_the_same_key) {
  const at::Tensor x = at::ones({200, 500}).set_requires_grad(true);
  const at::Tensor y = train::dropout(x, 0.3, 5);
  EXPECT_NEAR(y.eq(0).to(at::kFloat).mean().item<double>(), 0.3, 0.01);
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.01);
  y.sum().backward();
  EXPECT_TRUE(x.grad().equal(y));
  EXPECT_TRUE(train::dropout(x, 0.3, 5).equal(y));
  EXPECT_FALSE(train::dropout(x, 0.3, 6).equal(y));
  EXPECT_TRUE(train::dropout(x, 0, 5).equal(x));
}

}  // namespace
}  // namespace kani::train
