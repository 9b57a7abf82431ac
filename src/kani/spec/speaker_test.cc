// The speaker encoder's configuration and tensor list.
#include "kani/spec/speaker.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

std::filesystem::path golden_model() {
  return std::filesystem::path(KANI_TEST_DATA) / "speaker" / "model";
}

std::string refusal(const std::string& json) {
  try {
    parse_speaker_config(json, "config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

const std::string kBase =
    R"("model_type": "wavlm", "feat_extract_norm": "layer", "do_stable_layer_norm": true,)"
    R"( "embd_size": 128, "top_interm_size": 512)";

TEST(SpeakerConfig, reads_what_upstreams_class_writes) {
  const std::filesystem::path path = golden_model() / "config.json";
  const SpeakerConfig config = parse_speaker_config(read_file(path, 1 << 20), path.string());
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.head_size(), 16);
  EXPECT_EQ(config.conv_dims, std::vector<int>(7, 32));
  EXPECT_EQ(config.head_width, 80);
  const SpeakerConfig again = parse_speaker_config(speaker_config_json(config), "again");
  EXPECT_EQ(speaker_config_json(again), speaker_config_json(config));
}

TEST(SpeakerConfig, absent_keys_get_the_librarys_defaults) {
  const SpeakerConfig config = parse_speaker_config("{" + kBase + "}", "config.json");
  EXPECT_EQ(config.hidden_size, 768);
  EXPECT_EQ(config.layers, 12);
  EXPECT_EQ(config.intermediate_size, 3072);
  EXPECT_EQ(config.conv_kernels, (std::vector<int>{10, 3, 3, 3, 3, 2, 2}));
}

TEST(SpeakerConfig, other_networks_are_refused_by_name) {
  EXPECT_EQ(refusal("{}"),
            "config.json: model_type is null (the library's default), only \"wavlm\" is supported");
  EXPECT_EQ(
      refusal(R"({"model_type": "wavlm"})"),
      "config.json: feat_extract_norm is \"group\" (the library's default), only \"layer\" is "
      "supported");
  EXPECT_EQ(refusal("{" + kBase + R"(, "conv_bias": true})"),
            "config.json: conv_bias is true, only false is supported");
  EXPECT_EQ(refusal("{" + kBase + R"(, "hidden_act": "gelu_new"})"),
            "config.json: hidden_act is \"gelu_new\", only \"gelu\" is supported");
  EXPECT_EQ(refusal(R"({"model_type": "wavlm", "feat_extract_norm": "layer",)"
                    R"( "do_stable_layer_norm": true})"),
            "config.json: embd_size is missing, must be a number");
}

TEST(SpeakerConfig, sizes_that_do_not_fit_are_refused) {
  const auto with = [](const std::string& more) {
    return refusal("{" + kBase + ", " + more + "}");
  };
  EXPECT_EQ(with(R"("num_attention_heads": 7)"),
            "config.json: hidden_size 768 is no multiple of num_attention_heads 7");
  EXPECT_EQ(
      with(R"("conv_dim": [512, 512])"),
      "config.json: conv_dim, conv_kernel and conv_stride have 2, 7 and 7 entries, must have as "
      "many");
  EXPECT_EQ(with(R"("conv_stride": [5, 2, 2, 0, 2, 2, 2])"),
            "config.json: an entry of conv_stride is 0, must be 1 to 1024");
  EXPECT_EQ(with(R"("num_buckets": 322)"),
            "config.json: num_buckets is 322, must be a multiple of 4");
  EXPECT_EQ(with(R"("num_buckets": 3200)"),
            "config.json: max_bucket_distance is 800, must be 801 to 16777216");
  EXPECT_NE(with(R"("conv_stride": [1024, 1024, 1024, 2, 2, 2, 2])").find("too large"),
            std::string::npos);
}

TEST(SpeakerTensors, the_golden_model_has_them_all) {
  const std::filesystem::path path = golden_model() / "config.json";
  const SpeakerConfig config = parse_speaker_config(read_file(path, 1 << 20), path.string());
  const auto file = open_safetensors(golden_model());
  EXPECT_NO_THROW(speaker_check(config, *file));
  size_t found = 0;
  for (const TensorSpec& spec : speaker_tensors(config))
    found += find_tensor(spec, *file) != nullptr;
  // 118 in the file, three of them of no use.
  EXPECT_EQ(found, file->tensors().size() - 3);
}

TEST(SpeakerTensors, the_real_size_has_the_published_number_of_parameters) {
  uint64_t total = 0;
  for (const TensorSpec& spec : speaker_tensors(SpeakerConfig{})) {
    uint64_t count = 1;
    for (const uint64_t size : spec.shape) count *= size;
    total += count;
  }
  // speaker.md 3: 316,569,154 elements with masked_spec_embed and two counters.
  EXPECT_EQ(total, 316'569'154u - 1024 - 2);
}

}  // namespace
}  // namespace kani
