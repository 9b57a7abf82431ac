// upstream_checkpoint_test.cc - a run that upstream's trainer began goes on as it would have there.
#include "kani/train/upstream_checkpoint.h"

#include "kani/formats/test_optimizer_file.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;
using test::OptimizerParameter;
using test::OptimizerPickle;

class UpstreamTest : public RunTest {
 protected:
  // The run of the reference data.
  TrainConfig upstream_config(const std::string& out) const {
    TrainConfig c = config(out);
    c.parity = true;
    c.max_steps = 20;
    c.per_device_train_batch_size = 4;
    c.gradient_accumulation_steps = 3;
    return c;
  }
  // The same from what upstream's trainer leaves, whose files know nothing of Kani's own keys.
  TrainConfig continued(const std::string& out) const {
    TrainConfig c = upstream_config(out);
    c.model_id = folder_ / "checkpoint";
    c.max_steps = 0;
    c.from_upstream = true;
    c.growth.audio_tokens_start = 410;
    c.growth.speaker_emb_dim = 16;
    return c;
  }

  // The trainer's state as upstream's files.
  void leave_checkpoint(Trainer& trainer, double epoch) {
    const fs::path folder = folder_ / "checkpoint";
    fs::create_directories(folder);
    trainer.save();
    const fs::path saved = *find_checkpoint(trainer.config().output_dir);
    fs::copy(saved / "model.safetensors", folder, fs::copy_options::overwrite_existing);
    fs::copy(kReferenceData / "tiny" / "init" / "config.json", folder,
             fs::copy_options::overwrite_existing);
    const ParameterMap moments = load_tensors(saved / "optim-00000-of-00001.safetensors");
    std::vector<OptimizerParameter> parameters;
    std::vector<size_t> groups;
    for (const auto& group :
         upstream_parameters(trainer.model().config(), trainer.model().parameters())) {
      groups.push_back(group.size());
      for (const std::string& name : group) {
        const at::Tensor first = moments.at("first." + name), second = moments.at("second." + name);
        const auto numbers = [](const at::Tensor& t) {
          return std::vector<float>(t.const_data_ptr<float>(),
                                    t.const_data_ptr<float>() + t.numel());
        };
        parameters.push_back({first.sizes().vec(), moments.at("steps." + name).item<float>(),
                              numbers(first), numbers(second)});
      }
    }
    write_file(folder / "optimizer.pt", OptimizerPickle(parameters, groups).file());
    leave_progress(trainer.state().update, epoch);
  }
  void leave_progress(int64_t update, double epoch) const {
    write_file(
        folder_ / "checkpoint" / "trainer_state.json",
        dump_json(Json{
            {"global_step", update}, {"epoch", epoch}, {"max_steps", 20}, {"log_history", {}}}));
  }
};

TEST_F(UpstreamTest, parameters_are_numbered_as_upstream_does) {
  const Lfm2Module model = load_module(folder_ / "base");
  const auto groups = upstream_parameters(model.config(), model.parameters());
  ASSERT_EQ(groups.size(), 2u);
  // The reference's generator wrote them in the order of upstream's optimizer.
  const std::string text = read_file(kReferenceData / "goldens.json", 1 << 24);
  size_t at = text.find("\"optimizer_state_after\"");
  ASSERT_NE(at, std::string::npos);
  for (const auto& group : groups) {
    for (const std::string& name : group) {
      const size_t next = text.find("\"model.", at);
      EXPECT_EQ(text.substr(next + 1, text.find('"', next + 1) - next - 1), name);
      at = next + 1;
    }
  }
  const Json golden = parse_json(text, "goldens.json")["train"]["optimizer_groups"];
  EXPECT_EQ(groups[0].size(), golden[0]["params"].get<size_t>());
  EXPECT_EQ(groups[1].size(), golden[1]["params"].get<size_t>());
}

TEST_F(UpstreamTest, without_factors_the_optimizer_may_have_the_groups_of_transformers) {
  Lfm2Config config;
  config.layers = {LayerKind::kAttention};
  const std::vector<std::string> names = {
      "model.embed_tokens.weight",
      "model.layers.0.self_attn.q_proj.weight",
      "model.layers.0.self_attn.q_layernorm.weight",
      "model.layers.0.ffn_norm.weight",
      "model.embedding_norm.weight",
      "model.speaker_emb_projection.weight",
      "model.speaker_emb_projection.bias",
  };
  ParameterMap parameters;
  for (const std::string& name : names) parameters[name] = at::zeros({2}).requires_grad_(true);
  const std::vector<std::vector<std::string>> groups = {{names[0], names[1], names[5]},
                                                        {names[2], names[3], names[4], names[6]}};
  EXPECT_EQ(decayed_first(names), groups);
  std::vector<OptimizerParameter> saved;
  std::map<std::string, float> wanted;
  for (const auto& group : groups) {
    for (const std::string& name : group) {
      const auto number = static_cast<float>(saved.size() + 1);
      saved.push_back({{2}, 3, {number, number}, {number / 2, number / 2}});
      wanted[name] = number;
    }
  }
  const auto leave = [&](const std::vector<size_t>& sizes) {
    write_file(folder_ / "optimizer.pt", OptimizerPickle(saved, sizes).file());
  };
  leave({3, 4});
  AdamW optimizer({.total_steps = 10}, parameters);
  load_upstream_moments(folder_, config, parameters, optimizer);
  for (const auto& [name, number] : wanted) {
    EXPECT_EQ(optimizer.state().at(name).first[1].item<float>(), number) << name;
    EXPECT_EQ(optimizer.state().at(name).second[0].item<float>(), number / 2) << name;
  }
  leave({4, 3});
  EXPECT_THROW(load_upstream_moments(folder_, config, parameters, optimizer), Error);
}

TEST_F(UpstreamTest, layers_from_ten_on_and_other_parts_are_in_order) {
  Lfm2Config config;
  config.layers.assign(12, LayerKind::kConv);
  config.layers[11] = LayerKind::kAttention;
  ParameterMap parameters;
  for (const char* name :
       {"lm_head.weight", "model.embed_tokens.weight", "model.layers.10.conv.conv.bias",
        "model.layers.10.conv.conv.weight", "model.layers.11.self_attn.q_proj.weight",
        "model.layers.2.ffn_norm.weight"})
    parameters[name] = at::zeros({1});
  const std::vector<std::vector<std::string>> expected{
      {"model.embed_tokens.weight", "model.layers.2.ffn_norm.weight",
       "model.layers.10.conv.conv.weight", "model.layers.10.conv.conv.bias",
       "model.layers.11.self_attn.q_proj.weight", "lm_head.weight"}};
  EXPECT_EQ(upstream_parameters(config, parameters), expected);
  parameters["model.layers.2.unknown.weight"] = at::zeros({1});
  EXPECT_THROW(upstream_parameters(config, parameters), Error);
}

TEST_F(UpstreamTest, a_run_of_upstream_goes_on_as_it_would_have) {
  const Json golden =
      parse_json(read_file(kReferenceData / "goldens.json", 1 << 24), "goldens.json")["train"];
  {
    Trainer first(upstream_config("first"), false);
    for (int i = 0; i < 10; ++i) first.step();
    leave_checkpoint(first, 2.6);
  }
  TrainConfig c = continued("second");
  Trainer second(c, false);
  EXPECT_EQ(second.state().update, 10);
  EXPECT_EQ(second.total_updates(), 20);  // trainer_state.json says so
  for (size_t update = 10; update < 20; ++update) {
    const Json& point = golden["curve"][update];
    const UpdateReport report = second.step();
    EXPECT_NEAR(report.loss, point["loss"].get<double>(), 1e-5) << update;
    const double rate = point["lr"], norm = point["grad_norm_before_clip"];
    EXPECT_NEAR(report.learning_rate, rate, 1e-12 * rate) << update;
    EXPECT_NEAR(report.grad_norm, norm, 1e-4 * norm) << update;
    if (update == 14) second.save();
  }
  EXPECT_TRUE(second.done());
  for (const auto& [name, value] : load_tensors(kReferenceData / "tiny" / "final.safetensors"))
    EXPECT_LT((second.model().parameter(name) - value).abs().max().item<double>(), 1e-5) << name;
  // Its own checkpoints are gone on with as any others.
  Trainer again(c, true);
  EXPECT_EQ(again.state().update, 15);
  while (!again.done()) again.step();
  for (const auto& [name, value] : second.model().parameters())
    EXPECT_TRUE(again.model().parameter(name).equal(value)) << name;
}

TEST_F(UpstreamTest, with_our_rules_as_much_of_the_epoch_is_done) {
  {
    Trainer first(upstream_config("first"), false);
    first.step();
    leave_checkpoint(first, 2.5);
  }
  TrainConfig c = continued("second");
  c.parity = false;
  Trainer second(c, false);
  EXPECT_EQ(second.state().update, 1);
  EXPECT_EQ(second.state().epoch, 2);
  EXPECT_GT(second.state().row, 0);
  const UpdateReport report = second.step();
  EXPECT_FALSE(report.skipped);
  EXPECT_GT(report.epoch, 2.5);
  c.max_steps = 1;
  EXPECT_THROW(Trainer(c, false), Error);  // all done already
}

TEST_F(UpstreamTest, states_of_another_model_are_refused) {
  Trainer first(upstream_config("first"), false);
  first.step();
  leave_checkpoint(first, 0.3);
  const fs::path folder = folder_ / "checkpoint", file = folder / "optimizer.pt";
  const TrainConfig c = continued("second");
  const auto refused = [&](const std::string& reason) {
    try {
      Trainer second(c, false);
      ADD_FAILURE() << "accepted, expected: " << reason;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    }
  };
  const auto saved_as = [&](std::vector<size_t> groups, const at::Tensor& embedding) {
    std::vector<OptimizerParameter> parameters(groups[0] + groups[1]);
    const auto* numbers = embedding.const_data_ptr<float>();
    const std::vector<float> moments(numbers, numbers + embedding.numel());
    parameters[0] = {embedding.sizes().vec(), 1, moments, moments};
    write_file(file, OptimizerPickle(parameters, groups).file());
  };
  saved_as({57, 2}, at::ones({650, 64}));
  EXPECT_NO_THROW(Trainer(c, false));  // the others begin at 0
  saved_as({56, 3}, at::ones({650, 64}));
  refused("groups of 56 + 3 parameters, this model would have 57 + 2");
  saved_as({57, 2}, at::ones({64, 650}));
  refused("model.embed_tokens.weight, have the shape [64, 650], must be [650, 64]");
  saved_as({57, 2}, at::full({650, 64}, NAN));
  refused("not finite");
  leave_checkpoint(first, 0.3);
  for (const char* state : {"[]", "{}", "{\"global_step\": -1}", "{\"global_step\": \"3\"}",
                            "{\"global_step\": 1e30}", "{"}) {
    write_file(folder / "trainer_state.json", state);
    refused("trainer_state.json");
  }
  leave_progress(1, 0.3);
  fs::remove(file);
  refused("optimizer.pt");
  leave_checkpoint(first, 0.3);
  fs::remove(folder / "trainer_state.json");
  refused("trainer_state.json");
}

}  // namespace
}  // namespace kani::train
