// Where a model's parts are found.
#include "kani/dataset/model_parts.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

TEST(ModelParts, of_a_set_of_a_plain_folder_and_named_one_by_one) {
  const RecordFolder folder;
  folder.write("set/lm/config.json", "{}");
  folder.write("set/codec.nemo", "");
  folder.write("set/speaker/config.json", "{}");
  folder.write("plain/config.json", "{}");
  folder.write("plain/some.nemo", "");
  const ModelParts set = find_model_parts({.model = folder / "set"});
  EXPECT_EQ(set.language_model, folder / "set" / "lm");
  EXPECT_EQ(set.codec, folder / "set" / "codec.nemo");
  EXPECT_EQ(set.speaker_encoder, folder / "set" / "speaker");
  const ModelParts plain = find_model_parts({.model = folder / "plain",
                                             .codec = folder / "set/codec.nemo",
                                             .speaker_encoder = folder / "set/speaker"});
  EXPECT_EQ(plain.language_model, folder / "plain");
  EXPECT_EQ(plain.codec, folder / "set/codec.nemo");
  const ModelParts silent = find_model_parts({.model = folder / "plain", .voices = false});
  EXPECT_EQ(silent.codec, folder / "plain/some.nemo");
  EXPECT_TRUE(silent.speaker_encoder.empty());
}

TEST(ModelParts, what_is_missing_is_said_with_the_flag_that_names_it) {
  const RecordFolder folder;
  folder.write("plain/config.json", "{}");
  folder.write("two/config.json", "{}");
  folder.write("two/a.nemo", "");
  folder.write("two/b.nemo", "");
  folder.write("empty/readme", "");
  const auto hint = [&](const ModelNames& names) {
    try {
      find_model_parts(names);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound);
      return concat(error.what(), " | ", error.hint());
    }
    return std::string();
  };
  EXPECT_NE(hint({.model = folder / "none"}).find("no such model"), std::string::npos);
  EXPECT_NE(hint({.model = folder / "empty"}).find("neither config.json nor lm/"),
            std::string::npos);
  EXPECT_NE(hint({.model = folder / "plain"}).find("--codec"), std::string::npos);
  EXPECT_NE(hint({.model = folder / "two"}).find("--codec"), std::string::npos);
  EXPECT_NE(
      hint({.model = folder / "two", .codec = folder / "two/a.nemo"}).find("--speaker-encoder"),
      std::string::npos);
}

}  // namespace
}  // namespace kani
