// The list of keys, and that docs/training-codecs.md has it.
#include "kani/train/codec/codec_keys.h"

#include <gtest/gtest.h>

#include "kani/train/test_key_rows.h"

namespace kani::train {
namespace {

// One value, or one for each stage where they differ.
std::string default_of(const ConfigKey<CodecTrainConfig>& key) {
  std::string all, first;
  bool alike = true;
  for (const CodecStage stage :
       {CodecStage::kMel, CodecStage::kEncoder, CodecStage::kDecoder, CodecStage::kJoint}) {
    const std::string value = test::shown_value(key.write(codec_defaults(stage)));
    if (all.empty()) first = value;
    alike = alike && value == first;
    all += (all.empty() ? "" : ", ") + std::string(stage_name(stage)) + " " + value;
  }
  return alike ? first : all;
}

TEST(CodecKeys, every_key_stands_in_the_document) {
  const std::string keys = test::section_of("training-codecs.md", "## All keys");
  for (const auto& key : codec_keys()) {
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    const std::string value = key.name == "stage" ? "mel" : default_of(key);
    const std::string row = test::key_row(key.name, value, key.meaning);
    EXPECT_NE(keys.find(row), std::string::npos) << "docs/training-codecs.md lacks the row\n"
                                                 << row;
  }
}

TEST(CodecKeys, the_list_of_keys_reads_back) {
  CodecTrainConfig config = codec_defaults(CodecStage::kDecoder);
  config.seed = 7;
  config.more_dilations = {9};
  const std::string text = keys_text(config);
  EXPECT_NE(text.find("seed: 7  # "), std::string::npos);
  EXPECT_EQ(resolved_yaml(read_codec_config({{text, "keys"}}, {})), resolved_yaml(config));
}

}  // namespace
}  // namespace kani::train
