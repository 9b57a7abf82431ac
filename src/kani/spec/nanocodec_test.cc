#include "kani/spec/nanocodec.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani {
namespace {

// The 0.6 kbps model, in the style in which OmegaConf writes it, training keys included.
const char* const kYaml = R"(sample_rate: 22050
samples_per_frame: 1764
loss_resolutions:
- - 32
  - 8
mel_loss_l1_scale: 1.0
audio_encoder:
  _target_: nemo.collections.tts.modules.audio_codec_modules.HiFiGANEncoder
  down_sample_rates:
  - 2
  - 3
  - 6
  - 7
  - 7
  encoded_dim: 16
  base_channels: 24
  activation: lrelu
  pad_mode: replicate
audio_decoder:
  _target_: nemo.collections.tts.modules.audio_codec_modules.CausalHiFiGANDecoder
  up_sample_rates: [7, 7, 6, 3, 2]
  input_dim: 16
  base_channels: 864
  activation: half_snake
  output_activation: clamp
  pad_mode: zeros
  n_groups_equal_to_out_channels: true
vector_quantizer:
  _target_: nemo.collections.tts.modules.audio_codec_modules.GroupFiniteScalarQuantizer
  num_groups: 4
  num_levels_per_group:
  - 9
  - 8
  - 8
  - 7
discriminator:
  _target_: nemo.collections.tts.modules.audio_codec_modules.Discriminator
target: nemo.collections.tts.models.audio_codec.AudioCodecModel
nemo_version: 2.4.0
)";

std::string with(std::string_view from, std::string_view to) {
  std::string yaml = kYaml;
  const size_t at = yaml.find(from);
  if (at == yaml.npos) throw Error(ErrorCode::kInternal, "no ", from, " in the test's YAML");
  return yaml.replace(at, from.size(), to);
}

TEST(NanoCodecConfig, the_released_configuration_is_read) {
  const NanoCodecConfig config = parse_nanocodec_config(kYaml, "t");
  EXPECT_EQ(config.sample_rate_hz, 22050);
  EXPECT_EQ(config.samples_per_frame, 1764);
  EXPECT_EQ(config.codebooks, 4);
  EXPECT_EQ(config.levels, (std::vector<int>{9, 8, 8, 7}));
  EXPECT_EQ(config.codebook_size(), 4032);
  EXPECT_EQ(config.latent_width(), 16);
  EXPECT_EQ(config.fsq_eps, 1e-3F);
  EXPECT_TRUE(config.decoder.present);
  EXPECT_EQ(config.decoder.rates, (std::vector<int>{7, 7, 6, 3, 2}));
  EXPECT_EQ(config.decoder.base_channels, 864);
  EXPECT_EQ(config.decoder.in_kernel, 7);
  EXPECT_EQ(config.decoder.out_kernel, 3);
  EXPECT_EQ(config.decoder.resblock_kernels, (std::vector<int>{3, 7, 11}));
  EXPECT_EQ(config.decoder.resblock_dilations, (std::vector<int>{1, 3, 5}));
  EXPECT_TRUE(config.encoder.present);
  EXPECT_EQ(config.encoder.rates, (std::vector<int>{2, 3, 6, 7, 7}));
  EXPECT_EQ(config.encoder.base_channels, 24);
  EXPECT_EQ(config.encoder.out_kernel, 7);
}

TEST(NanoCodecConfig, the_class_may_carry_its_exported_name) {
  const std::string yaml = with("models.audio_codec.AudioCodecModel", "models.AudioCodecModel");
  EXPECT_EQ(parse_nanocodec_config(yaml, "t").codebooks, 4);
}

TEST(NanoCodecConfig, other_kernels_and_dilations_are_read) {
  const std::string yaml =
      with("  input_dim: 16\n",
           "  input_dim: 16\n  in_kernel_size: 5\n  out_kernel_size: 9\n"
           "  resblock_kernel_sizes: [7]\n  resblock_dilation_sizes: [1, 3]\n");
  const NanoCodecConfig config = parse_nanocodec_config(yaml, "t");
  EXPECT_EQ(config.decoder.in_kernel, 5);
  EXPECT_EQ(config.decoder.out_kernel, 9);
  EXPECT_EQ(config.decoder.resblock_kernels, std::vector<int>{7});
  EXPECT_EQ(config.decoder.resblock_dilations, (std::vector<int>{1, 3}));
  EXPECT_EQ(config.encoder.resblock_kernels, (std::vector<int>{3, 7, 11}));
}

TEST(NanoCodecConfig, a_codec_may_lack_its_encoder) {
  const std::string yaml = with("audio_encoder:", "something_else:");
  EXPECT_FALSE(parse_nanocodec_config(yaml, "t").encoder.present);
}

TEST(NanoCodecConfig, what_is_written_reads_back) {
  NanoCodecConfig config = parse_nanocodec_config(kYaml, "t");
  config.decoder.resblock_kernels = {7};
  config.encoder.in_kernel = 5;
  config.fsq_eps = 2e-3F;
  const std::string yaml = nanocodec_config_yaml(config);
  const NanoCodecConfig again = parse_nanocodec_config(yaml, "again");
  EXPECT_EQ(nanocodec_config_yaml(again), yaml);
  EXPECT_EQ(again.fsq_eps, 2e-3F);
  EXPECT_EQ(again.decoder.resblock_kernels, std::vector<int>{7});
  EXPECT_EQ(again.encoder.in_kernel, 5);
  EXPECT_EQ(again.decoder.rates, config.decoder.rates);
  config.encoder = {};
  EXPECT_FALSE(parse_nanocodec_config(nanocodec_config_yaml(config), "t").encoder.present);
}

struct Refusal {
  const char* from;
  const char* to;
  ErrorCode code;
  const char* message;
};

class NanoCodecRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(NanoCodecRefusal, names_key_value_and_rule) {
  const Refusal& r = GetParam();
  try {
    parse_nanocodec_config(with(r.from, r.to), "m.yaml");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), r.code) << error.what();
    const std::string what = error.what();
    EXPECT_TRUE(what.starts_with("m.yaml: ")) << what;
    EXPECT_NE(what.find(r.message), what.npos) << what;
    EXPECT_EQ(what.find('\n'), what.npos);
  }
}

constexpr ErrorCode kBad = ErrorCode::kBadInput, kNo = ErrorCode::kUnsupported;
INSTANTIATE_TEST_SUITE_P(
    Rules, NanoCodecRefusal,
    testing::Values(
        Refusal{"target: nemo.collections.tts.models", "target: os.system", kNo, "target is os."},
        Refusal{"\ntarget:", "\ntarged:", kBad, "key target is missing"},
        Refusal{"sample_rate: 22050", "sample_rate: '22050'", kBad, "sample_rate is \"22050\""},
        Refusal{"sample_rate: 22050", "sample_rate: 22050.0", kBad, "sample_rate is 22050.0"},
        Refusal{"sample_rate: 22050", "sample_rate: 0", kBad, "sample_rate is 0, expected"},
        Refusal{"sample_rate: 22050", "sample_rate: ${oc.env:RATE}", kBad, "sample_rate is ${oc"},
        Refusal{"samples_per_frame: 1764", "samples_per_frame: 1765", kBad,
                "audio_decoder.up_sample_rates do not multiply to samples_per_frame 1765"},
        Refusal{"  - 2\n  - 3\n", "  - 2\n  - 2\n", kBad,
                "audio_encoder.down_sample_rates do not multiply"},
        Refusal{"[7, 7, 6, 3, 2]", "[7, 7, 6, 3, 0]", kBad, "up_sample_rates[4] is 0"},
        Refusal{"[7, 7, 6, 3, 2]", "[7, 7, 6, 3, 1000000000]", kBad, "up_sample_rates[4] is 1000"},
        Refusal{"[7, 7, 6, 3, 2]", "[]", kBad, "is a list of 0, expected a list of 1 to 8"},
        Refusal{"[7, 7, 6, 3, 2]", "7", kBad, "is 7, expected a list"},
        Refusal{"[7, 7, 6, 3, 2]", "{a: 1}", kBad, "is a map, expected a list"},
        Refusal{"base_channels: 864", "base_channels: 863", kBad, "the width 863 cannot be halved"},
        Refusal{"base_channels: 864", "base_channels: -864", kBad, "base_channels is -864"},
        Refusal{"base_channels: 24", "base_channels: 1024", kBad, "doubles the width 1024"},
        Refusal{"input_dim: 16", "input_dim: 52", kBad,
                "audio_decoder.input_dim is 52, expected 16"},
        Refusal{"encoded_dim: 16", "encoded_dim: 8", kBad, "encoded_dim is 8, expected 16"},
        Refusal{"CausalHiFiGANDecoder", "HiFiGANDecoder", kNo, "audio_decoder._target_"},
        Refusal{"HiFiGANEncoder", "CausalHiFiGANEncoder", kNo, "audio_encoder._target_"},
        Refusal{"  activation: half_snake\n", "", kNo, "activation is lrelu (not given)"},
        Refusal{"  activation: lrelu\n", "  activation: elu\n", kNo, "activation is elu"},
        Refusal{"output_activation: clamp", "output_activation: tanh", kNo, "expected clamp"},
        Refusal{"  output_activation: clamp\n", "", kNo, "output_activation is tanh (not given)"},
        Refusal{"pad_mode: replicate", "pad_mode: reflect", kNo, "audio_encoder.pad_mode"},
        Refusal{"  pad_mode: replicate\n", "", kNo, "pad_mode is reflect (not given)"},
        Refusal{"pad_mode: zeros", "pad_mode: replicate", kNo, "audio_decoder.pad_mode"},
        Refusal{"out_channels: true", "out_channels: false", kNo, "is false, expected true"},
        Refusal{"out_channels: true", "out_channels: yes", kBad, "is yes, expected true"},
        Refusal{"GroupFiniteScalarQuantizer", "ResidualVectorQuantizer", kNo, "vector_quantizer"},
        Refusal{"num_groups: 4", "num_groups: 0", kBad, "num_groups is 0"},
        Refusal{"  - 8\n  - 7\n", "  - 7\n", kBad, "num_levels_per_group is a list of 3"},
        Refusal{"  - 9\n", "  - 1\n", kBad, "num_levels_per_group[0] is 1"},
        Refusal{"  - 9\n  - 8\n  - 8\n", "  - 90\n  - 80\n  - 80\n", kBad, "more than 65536 codes"},
        Refusal{"num_groups: 4", "num_groups: 4\n  eps: 0.5", kBad, "eps is 0.5"},
        Refusal{"num_groups: 4", "num_groups: 4\n  eps: .nan", kBad, "eps is .nan"},
        Refusal{"encoded_dim: 16", "encoded_dim: 16\n  in_kernel_size: 6", kNo, "found 6"},
        Refusal{"input_dim: 16", "input_dim: 16\n  in_kernel_size: 64", kBad,
                "in_kernel_size is 64"},
        Refusal{"audio_decoder:", "audio_decoder: ~\nx:", kBad, "audio_decoder. is no map"},
        Refusal{"audio_decoder:", "audio_decoder_: ", kBad, "key audio_decoder is missing"}));

TEST(NanoCodecConfig, what_is_no_map_is_refused) {
  for (const char* yaml : {"", "[1]", "text"}) {
    EXPECT_THROW(parse_nanocodec_config(yaml, "t"), Error) << yaml;
  }
}

}  // namespace
}  // namespace kani
