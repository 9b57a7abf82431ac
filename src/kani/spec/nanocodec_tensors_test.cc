// The list of tensors and files held against it.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kani/base/error.h"
#include "kani/spec/memory_tensors.h"
#include "kani/spec/nanocodec.h"

namespace kani {
namespace {

NanoCodecConfig narrow() {
  NanoCodecConfig config = nanocodec_06kbps();
  config.decoder.base_channels = 64;
  return config;
}

uint64_t folded_parameters(const NanoCodecTensors& tensors) {
  uint64_t count = 0;
  for (const NanoCodecConv& c : tensors.convs) {
    count += c.shape[0] * c.shape[1] * c.shape[2] + c.bias;
  }
  for (const NanoCodecAlpha& a : tensors.alphas) count += a.channels;
  return count;
}

std::string fault(const NanoCodecConfig& config, const TensorFile& file, bool encoder = false) {
  try {
    nanocodec_check(config, file, encoder);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(NanoCodecTensors, counts_are_those_of_the_released_models) {
  const NanoCodecConfig small = with_encoder(nanocodec_06kbps());
  const NanoCodecTensors decoder = nanocodec_decoder_tensors(small);
  EXPECT_EQ(decoder.convs.size(), 97u);
  EXPECT_EQ(decoder.alphas.size(), 96u);
  EXPECT_EQ(folded_parameters(decoder), 31'465'805u);
  EXPECT_EQ(nanocodec_encoder_tensors(small).convs.size(), 97u);
  EXPECT_EQ(folded_parameters(nanocodec_encoder_tensors(small)), 30'263'920u);
  const NanoCodecConfig large = with_encoder(nanocodec_189kbps());
  EXPECT_EQ(folded_parameters(nanocodec_decoder_tensors(large)), 31'564'085u);
  EXPECT_EQ(folded_parameters(nanocodec_encoder_tensors(large)), 31'004'288u);
}

TEST(NanoCodecTensors, names_and_shapes_are_upstreams) {
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(nanocodec_06kbps());
  EXPECT_EQ(layers.pre_conv.name, "audio_decoder.pre_conv.conv");
  EXPECT_EQ(layers.pre_conv.shape, (std::array<uint64_t, 3>{864, 16, 7}));
  const NanoCodecStage& stage = layers.stages[2];
  EXPECT_EQ(stage.activation.name, "audio_decoder.activations.2.activation.snake_act.alpha");
  EXPECT_EQ(stage.activation.channels, 108u);
  EXPECT_EQ(stage.up.name, "audio_decoder.up_sample_conv_layers.2.conv");
  EXPECT_EQ(stage.up.shape, (std::array<uint64_t, 3>{216, 1, 12}));
  EXPECT_EQ(stage.up.bias, 108u);
  const NanoCodecBlock& block = layers.stages[4].branches[1][2];
  const std::string prefix = "audio_decoder.res_layers.4.res_blocks.1.res_blocks.2.";
  EXPECT_EQ(block.input_activation.name, prefix + "input_activation.activation.snake_act.alpha");
  EXPECT_EQ(block.input_activation.channels, 13u);
  EXPECT_EQ(block.input_conv.name, prefix + "input_conv.conv");
  EXPECT_EQ(block.input_conv.shape, (std::array<uint64_t, 3>{27, 27, 7}));
  EXPECT_EQ(block.input_conv.dilation, 5);
  EXPECT_EQ(block.skip_conv.dilation, 1);
  EXPECT_EQ(layers.post_conv.shape, (std::array<uint64_t, 3>{1, 27, 3}));
}

TEST(NanoCodecTensors, encoder_layers_are_upstreams) {
  const NanoCodecEncoderLayers layers = nanocodec_encoder_layers(with_encoder(nanocodec_06kbps()));
  EXPECT_EQ(layers.pre_conv.name, "audio_encoder.pre_conv.conv");
  EXPECT_EQ(layers.pre_conv.shape, (std::array<uint64_t, 3>{24, 1, 7}));
  ASSERT_EQ(layers.stages.size(), 5u);
  const NanoCodecEncoderStage& stage = layers.stages[3];
  EXPECT_EQ(stage.down.name, "audio_encoder.down_sample_conv_layers.3.conv");
  EXPECT_EQ(stage.down.shape, (std::array<uint64_t, 3>{384, 192, 14}));
  EXPECT_EQ(stage.down.bias, 384u);
  const NanoCodecEncoderBlock& block = stage.branches[2][1];
  const std::string prefix = "audio_encoder.res_layers.3.res_blocks.2.res_blocks.1.";
  EXPECT_EQ(block.input_conv.name, prefix + "input_conv.conv");
  EXPECT_EQ(block.input_conv.shape, (std::array<uint64_t, 3>{192, 192, 11}));
  EXPECT_EQ(block.input_conv.dilation, 3);
  EXPECT_EQ(block.skip_conv.name, prefix + "skip_conv.conv");
  EXPECT_EQ(block.skip_conv.dilation, 1);
  EXPECT_EQ(layers.post_conv.shape, (std::array<uint64_t, 3>{16, 768, 7}));
}

TEST(NanoCodecTensors, the_reader_is_asked_for_what_is_needed) {
  EXPECT_TRUE(nanocodec_wants("audio_decoder.pre_conv.conv.bias", false));
  EXPECT_TRUE(nanocodec_wants("vector_quantizer.fsqs.0.num_levels", false));
  EXPECT_FALSE(nanocodec_wants("audio_encoder.pre_conv.conv.bias", false));
  EXPECT_TRUE(nanocodec_wants("audio_encoder.pre_conv.conv.bias", true));
  EXPECT_FALSE(nanocodec_wants("discriminator.x", true));
}

TEST(NanoCodecTensors, complete_files_pass) {
  for (const NormSpelling spelling : {NormSpelling::kOld, NormSpelling::kNew}) {
    MemoryTensors file = rule_decoder(narrow(), 1, spelling);
    EXPECT_EQ(fault(narrow(), file), "");
    file.add("discriminator.whatever", DType::kF32, {1}, std::vector<float>{1});
    file.add("audio_encoder.unasked", DType::kF32, {1}, std::vector<float>{1});
    EXPECT_EQ(fault(narrow(), file), "");
  }
  const NanoCodecConfig both = with_encoder(narrow(), /*base_channels=*/1);
  MemoryTensors file = rule_decoder(both, 1);
  EXPECT_NE(fault(both, file, /*encoder=*/true), "");
  add_rule_weights(file, nanocodec_encoder_tensors(both), 1, NormSpelling::kNew);
  EXPECT_EQ(fault(both, file, /*encoder=*/true), "");
  EXPECT_NE(fault(narrow(), file, /*encoder=*/true), "");
}

TEST(NanoCodecTensors, re_exports_may_lack_the_quantisers_buffers) {
  MemoryTensors file = rule_decoder(narrow(), 1);
  for (int g = 0; g < 4; ++g) {
    file.remove(concat("vector_quantizer.fsqs.", g, ".num_levels"));
    file.remove(concat("vector_quantizer.fsqs.", g, ".dim_base_index"));
  }
  EXPECT_EQ(fault(narrow(), file), "");
}

TEST(NanoCodecTensors, all_faults_stand_in_one_message) {
  MemoryTensors file = rule_decoder(narrow(), 1);
  const std::string conv = "audio_decoder.pre_conv.conv";
  file.remove(conv + ".weight_v");
  file.add(conv + ".bias", DType::kF32, {3}, std::vector<float>(3));
  file.add("audio_decoder.extra", DType::kF32, {1}, std::vector<float>(1));
  file.add("vector_quantizer.fsqs.2.num_levels", DType::kI32, {1, 4, 1},
           std::vector<int32_t>{8, 8, 8, 7});
  file.add("audio_decoder.activations.0.activation.snake_act.alpha", DType::kI32, {1, 32, 1},
           std::vector<int32_t>(32));
  const std::string message = fault(narrow(), file);
  EXPECT_TRUE(message.starts_with("memory: 6 tensors at odds")) << message;
  for (const char* part :
       {"the weight of audio_decoder.pre_conv.conv is missing",
        ".bias has shape [3], expected [64]", "audio_decoder.extra is unexpected",
        "audio_decoder.pre_conv.conv.weight_g is unexpected",
        "fsqs.2.num_levels disagrees with num_levels_per_group", "has type I32, expected F32"}) {
    EXPECT_NE(message.find(part), message.npos) << part << " not in: " << message;
  }
}

TEST(NanoCodecTensors, many_faults_are_counted) {
  const std::string message = fault(narrow(), MemoryTensors());
  EXPECT_TRUE(message.starts_with("memory: 290 tensors at odds")) << message;
  EXPECT_TRUE(message.ends_with("; and 278 more")) << message;
  EXPECT_LT(message.size(), 1500u);
}

TEST(NanoCodecTensors, a_weight_in_two_spellings_is_refused) {
  MemoryTensors file = rule_decoder(narrow(), 1);
  file.add("audio_decoder.post_conv.conv.weight", DType::kF32, {1, 2, 3}, std::vector<float>(6));
  EXPECT_NE(fault(narrow(), file).find("has its weight twice"), std::string::npos);
}

// One convolution of two rows.
class FoldTest : public testing::Test {
 protected:
  void put(std::vector<float> gain, const std::vector<float>& direction) {
    file_.add("c.weight_g", DType::kF32, {2, 1, 1}, gain);
    file_.add("c.weight_v", DType::kF32, {2, 1, 2}, direction);
    file_.add("c.bias", DType::kF32, {2}, std::vector<float>{1, 2});
  }
  NanoCodecConv conv_{"c", {2, 1, 2}, 2};
  MemoryTensors file_;
};

TEST_F(FoldTest, each_row_gets_the_length_of_its_gain) {
  put({10, -1}, {3, 4, 0, 2});
  const FoldedConv folded = fold_weight_norm(conv_, file_);
  EXPECT_EQ(folded.weight, (std::vector<float>{6, 8, 0, -1}));
  EXPECT_EQ(folded.bias, (std::vector<float>{1, 2}));
}

TEST_F(FoldTest, what_cannot_be_divided_is_refused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  put({1, 1}, {1, 0, 0, 0});
  EXPECT_THROW(fold_weight_norm(conv_, file_), Error);
  put({1, nan}, {1, 0, 1, 0});
  EXPECT_THROW(fold_weight_norm(conv_, file_), Error);
  put({1, 1}, {1, 0, inf, 0});
  EXPECT_THROW(fold_weight_norm(conv_, file_), Error);
  put({0, 1}, {1, 0, 1, 0});  // a gain of zero is a row that is switched off
  EXPECT_EQ(fold_weight_norm(conv_, file_).weight, (std::vector<float>{0, 0, 1, 0}));
}

TEST_F(FoldTest, slopes_must_be_finite) {
  file_.add("a", DType::kF32, {1, 2, 1}, std::vector<float>{-1, 0});
  EXPECT_EQ(read_alpha({"a", 2}, file_), (std::vector<float>{-1, 0}));
  file_.add("a", DType::kF32, {1, 2, 1},
            std::vector<float>{1, std::numeric_limits<float>::infinity()});
  EXPECT_THROW(read_alpha({"a", 2}, file_), Error);
}

TEST(GoldenRule, the_made_up_weights_are_those_of_the_goldens) {
  // tests/data/codec/manifest.json, weight_probe of full06
  const std::string name = "audio_decoder.pre_conv.conv.";
  const std::vector<float> v = rule_values(name + "weight_v", 1, 96768, -1, 1);
  EXPECT_EQ(v[0], -0.5752180814743042F);
  EXPECT_EQ(v[3], -0.6474447250366211F);
  EXPECT_EQ(v.back(), -0.8451497554779053F);
  double sum = 0;
  for (const float value : v) sum += static_cast<double>(value);
  EXPECT_NEAR(sum, 246.56847417354584, 1e-9);
  EXPECT_EQ(rule_values(name + "weight_g", 1, 1, 1.2, 2.2)[0], 1.8011205196380615F);
}

}  // namespace
}  // namespace kani
