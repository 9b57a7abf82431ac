// lfm2_tensors_test.cc - the list of tensors, and files held against it.  The files are made up in
// memory: one byte array a tensor, so that nothing here depends on a container format.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/spec/lfm2.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

/// A tensor of that shape whose bytes all have one value; replaces one of the same name.
void put(MemoryTensors& file, const std::string& name, const std::vector<uint64_t>& shape,
         DType dtype = DType::kBF16, std::byte value = std::byte{7}) {
  const uint64_t count =
      std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
  file.add(name, dtype, shape, std::vector<std::byte>(count * dtype_size(dtype), value));
}

Lfm2Config config_of(const std::string& name) {
  return parse_lfm2_config(read_file(KANI_TEST_DATA "/lm/" + name + "/config.json", 1 << 20), name);
}

/// A file with everything that `config` needs, without a head of its own.
MemoryTensors file_for(const Lfm2Config& config) {
  MemoryTensors file;
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    if (spec.name != "lm_head.weight") put(file, spec.name, spec.shape);
  }
  return file;
}

std::string refusal(Lfm2Config config, const MemoryTensors& file) {
  try {
    lfm2_resolve(config, file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

/// Runs lfm2_resolve and returns what it logged at `level`.
std::string resolve_log(Lfm2Config& config, const MemoryTensors& file, LogLevel level) {
  std::string log;
  set_log_sink([&](LogLevel line_level, std::string_view, std::string_view line) {
    if (line_level == level) log += std::string(line) + "\n";
  });
  lfm2_resolve(config, file);
  set_log_sink({});
  return log;
}

Lfm2Config real_model() {
  Lfm2Config config;
  config.vocab_size = 80538;
  config.hidden_size = 1024;
  config.heads = 16;
  config.kv_heads = 8;
  config.head_dim = 64;
  config.intermediate_size = 4608;
  config.layers.assign(16, LayerKind::kConv);
  for (const size_t i : {2, 5, 8, 10, 12, 14}) config.layers[i] = LayerKind::kAttention;
  config.use_learnable_rope = true;
  return config;
}

TEST(Lfm2Tensors, the_real_model_has_155_tensors_and_a_stored_head_makes_156) {
  const std::vector<TensorSpec> specs = lfm2_tensors(real_model());
  EXPECT_EQ(specs.size(), 156u);
  EXPECT_EQ(std::count_if(specs.begin(), specs.end(),
                          [](const TensorSpec& spec) { return spec.optional; }),
            2);
  EXPECT_TRUE(
      std::is_sorted(specs.begin(), specs.end(),
                     [](const TensorSpec& a, const TensorSpec& b) { return a.name < b.name; }));
  EXPECT_EQ(lfm2_parameters(real_model()),
            369'977'094u - 131'072u);  // language-model.md 13, without the projection
}

TEST(Lfm2Tensors, matrices_are_marked_and_nothing_else) {
  for (const TensorSpec& spec : lfm2_tensors(real_model())) {
    const bool expected =
        spec.shape.size() == 2 && spec.name != "model.speaker_emb_projection.weight";
    EXPECT_EQ(spec.matrix, expected) << spec.name;
  }
}

TEST(Lfm2Tensors, biases_of_the_convolution_are_in_the_list_if_the_config_has_them) {
  Lfm2Config config = real_model();
  config.conv_bias = true;
  const std::vector<TensorSpec> specs = lfm2_tensors(config);
  EXPECT_EQ(specs.size(), 156u + 30u);
  const auto bias = std::find_if(specs.begin(), specs.end(), [](const TensorSpec& spec) {
    return spec.name == "model.layers.0.conv.in_proj.bias";
  });
  ASSERT_NE(bias, specs.end());
  EXPECT_EQ(bias->shape, std::vector<uint64_t>{3072});
}

TEST(Lfm2Resolve, the_five_reference_models_fit_their_lists) {
  for (const std::string name : {"case_a", "case_b", "case_c", "case_d", "case_e"}) {
    Lfm2Config config = config_of(name);
    const MemoryTensors file = file_for(config);
    EXPECT_NO_THROW(lfm2_resolve(config, file)) << name;
    EXPECT_TRUE(config.accepts_voice);
    EXPECT_FALSE(config.separate_head);
  }
}

TEST(Lfm2Resolve, everything_missing_and_misshaped_is_in_one_message) {
  const Lfm2Config config = config_of("case_b");
  MemoryTensors file = file_for(config);
  file.remove("model.embedding_norm.weight");
  file.remove("model.layers.1.self_attn.v_proj.weight");
  put(file, "model.layers.0.ffn_norm.weight", {47});
  put(file, "model.layers.2.operator_norm.weight", {48}, DType::kI64);
  EXPECT_EQ(refusal(config, file),
            "memory: missing tensors: model.embedding_norm.weight, "
            "model.layers.1.self_attn.v_proj.weight; "
            "model.layers.0.ffn_norm.weight has shape [47], expected [48], "
            "model.layers.2.operator_norm.weight has "
            "type I64, expected F32, F16 or BF16");
}

TEST(Lfm2Resolve, an_empty_file_gives_a_message_of_bounded_length) {
  const std::string what = refusal(real_model(), MemoryTensors());
  EXPECT_NE(what.find("and 146 more"), std::string::npos) << what;
  EXPECT_LT(what.size(), 600u);
}

TEST(Lfm2Resolve, a_wrong_size_rule_is_one_fault) {
  Lfm2Config config = config_of("case_c");
  const MemoryTensors file = file_for(config);
  config.intermediate_size = 128;
  const std::string what = refusal(config, file);
  EXPECT_NE(what.find("w1.weight has 104 rows, but the size rule of config.json gives 128"),
            std::string::npos)
      << what;
}

TEST(Lfm2Resolve, unknown_tensors_are_a_warning) {
  Lfm2Config config = config_of("case_b");
  MemoryTensors file = file_for(config);
  put(file, "model.layers.9.adapter", {3}, DType::kF32);
  put(file, "model.learnable_rope_layers.0.alpha_weight", {},
      DType::kF32);  // layer 0 is a convolution
  EXPECT_EQ(resolve_log(config, file, LogLevel::kWarning),
            "memory: tensors of no known use, ignored: model.layers.9.adapter, "
            "model.learnable_rope_layers.0.alpha_weight\n");
}

TEST(Lfm2Resolve, learnable_rope_follows_the_tensors_where_the_config_is_silent) {
  Lfm2Config config = config_of("case_b");
  const MemoryTensors with_factors = file_for(config);
  config.use_learnable_rope = false;
  const MemoryTensors without = file_for(config);

  config.use_learnable_rope.reset();
  EXPECT_NE(resolve_log(config, with_factors, LogLevel::kInfo).find("assumed true"),
            std::string::npos);
  EXPECT_EQ(config.use_learnable_rope, true);
  config.use_learnable_rope.reset();
  EXPECT_NE(resolve_log(config, without, LogLevel::kInfo).find("assumed false"), std::string::npos);
  EXPECT_EQ(config.use_learnable_rope, false);
  EXPECT_NE(
      resolve_log(config, with_factors, LogLevel::kWarning).find("use_learnable_rope is false"),
      std::string::npos);
  EXPECT_EQ(config.use_learnable_rope, false);
  config.use_learnable_rope = true;
  EXPECT_NE(
      refusal(config, without).find("missing tensors: model.learnable_rope_layers.1.alpha_weight"),
      std::string::npos);
}

TEST(Lfm2Resolve, one_factor_of_several_missing_is_refused_even_if_the_config_is_silent) {
  Lfm2Config config = config_of("case_b");
  MemoryTensors file = file_for(config);
  file.remove("model.learnable_rope_layers.3.alpha_weight");
  config.use_learnable_rope.reset();
  EXPECT_NE(refusal(config, file).find("missing tensors: model.learnable_rope_layers.3"),
            std::string::npos);
}

TEST(Lfm2Resolve, factors_may_be_scalars_or_have_shape_1) {
  Lfm2Config config = config_of("case_d");
  MemoryTensors file = file_for(config);
  put(file, "model.learnable_rope_layers.0.alpha_weight", {1});
  EXPECT_NO_THROW(lfm2_resolve(config, file));
  put(file, "model.learnable_rope_layers.0.alpha_weight", {2});
  EXPECT_NE(refusal(config, file).find("has shape [2], expected []"), std::string::npos);
}

TEST(Lfm2Resolve, a_model_without_speaker_projection_takes_no_voice) {
  Lfm2Config config = config_of("case_b");
  MemoryTensors file = file_for(config);
  file.remove("model.speaker_emb_projection.weight");
  lfm2_resolve(config, file);
  EXPECT_FALSE(config.accepts_voice);
  put(file, "model.speaker_emb_projection.weight", {48, 127}, DType::kF32);
  EXPECT_NE(refusal(config, file).find("expected [48, 128]"), std::string::npos);
}

TEST(Lfm2Resolve, a_stored_head_counts_only_if_it_differs) {
  Lfm2Config config = config_of("case_c");
  MemoryTensors file = file_for(config);
  put(file, "lm_head.weight", {1966, 48}, DType::kBF16);
  lfm2_resolve(config, file);
  EXPECT_FALSE(config.separate_head);
  put(file, "lm_head.weight", {1966, 48}, DType::kBF16, std::byte{8});
  lfm2_resolve(config, file);
  EXPECT_TRUE(config.separate_head);
  put(file, "lm_head.weight", {1966, 48}, DType::kF32);
  lfm2_resolve(config, file);
  EXPECT_TRUE(config.separate_head);
  put(file, "lm_head.weight", {1965, 48});
  EXPECT_NE(refusal(config, file).find("lm_head.weight has shape [1965, 48]"), std::string::npos);
}

TEST(Lfm2Resolve, an_untied_model_needs_its_head) {
  Lfm2Config config = config_of("case_c");
  config.tie_embedding = false;
  EXPECT_NE(refusal(config, file_for(config)).find("missing tensors: lm_head.weight"),
            std::string::npos);
}

TEST(Lfm2Resolve, biases_are_needed_if_the_config_says_so) {
  Lfm2Config config = config_of("case_c");
  const MemoryTensors file = file_for(config);
  config.conv_bias = true;
  EXPECT_NE(refusal(config, file).find("missing tensors: model.layers.0.conv.conv.bias"),
            std::string::npos);
}

}  // namespace
}  // namespace kani
