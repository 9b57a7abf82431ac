// Finding the parts of a model: sets, folders, the hub's cache, environment variables.
#include "kani/engine/model_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/kani.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class ModelFilesTest : public testing::Test {
 protected:
  ModelFilesTest() {
    std::string name = fs::temp_directory_path() / "kani-models-XXXXXX";
    root_ = mkdtemp(name.data());
    setenv("HF_HUB_CACHE", (root_ / "hub").c_str(), 1);
    setenv("XDG_DATA_HOME", (root_ / "data").c_str(), 1);
    unsetenv("KANI_MODEL");
  }
  ~ModelFilesTest() override {
    fs::remove_all(root_);
    unsetenv("HF_HUB_CACHE");
    unsetenv("XDG_DATA_HOME");
    unsetenv("KANI_MODEL");
  }

  fs::path touch(const fs::path& file, std::string_view text = "{}") {
    fs::create_directories((root_ / file).parent_path());
    write_file(root_ / file, text);
    return root_ / file;
  }

  fs::path root_;
};

TEST_F(ModelFilesTest, a_set_has_its_codec_inside) {
  touch("set/lm/config.json");
  touch("set/codec.nemo");
  const ModelFiles files = find_model_files(root_ / "set", {});
  EXPECT_EQ(files.language_model, root_ / "set" / "lm");
  EXPECT_EQ(files.codec, root_ / "set" / "codec.nemo");
  EXPECT_EQ(files.set, root_ / "set");
  EXPECT_EQ(find_model_files(root_ / "set" / "lm", {}).codec, root_ / "set" / "codec.nemo");
  EXPECT_EQ(find_model_files(root_ / "set" / "lm" / "config.json", {}).codec,
            root_ / "set" / "codec.nemo");
}

TEST_F(ModelFilesTest, a_plain_folder_needs_a_codec) {
  touch("lm2/config.json");
  EXPECT_THROW(find_model_files(root_ / "lm2", {}), Error);
  const fs::path codec = touch("other/some.nemo");
  EXPECT_EQ(find_model_files(root_ / "lm2", codec).codec, codec);
  EXPECT_EQ(find_model_files(root_ / "lm2", codec.parent_path()).codec, codec);
  touch("other/second.nemo");
  EXPECT_THROW(find_model_files(root_ / "lm2", root_ / "other"), Error) << "two files: which one?";
}

TEST_F(ModelFilesTest, repositories_are_found_in_the_hubs_cache) {
  const std::string commit(40, 'a');
  touch("hub/models--user--repo/refs/main", commit);
  touch("hub/models--user--repo/snapshots/" + commit + "/config.json");
  const std::string codec = "hub/models--nvidia--nemo-nano-codec-22khz-0.6kbps-12.5fps/";
  touch(codec + "refs/main", commit);
  touch(codec + "snapshots/" + commit + "/x.nemo");
  const ModelFiles files = find_model_files("user/repo", {});
  EXPECT_EQ(files.language_model.filename(), commit);
  EXPECT_EQ(files.codec.filename(), "x.nemo");
  EXPECT_THROW(find_model_files("user/none", {}), Error);
  EXPECT_FALSE(find_hub_snapshot("user/../repo"));
  touch("hub/models--user--evil/refs/main", "../../../etc");
  EXPECT_FALSE(find_hub_snapshot("user/evil"));
}

TEST_F(ModelFilesTest, the_default_is_taken_from_the_environment_first) {
  setenv("KANI_MODEL", "/somewhere", 1);
  EXPECT_EQ(default_model_path(), "/somewhere");
  unsetenv("KANI_MODEL");
  EXPECT_EQ(default_model_path().filename(), "kani-mini")
      << "the tests are built inside the source tree";
}

TEST_F(ModelFilesTest, a_speaker_encoder_is_looked_for_in_five_places) {
  const auto found = [&](const fs::path& encoder, const fs::path& model) {
    fs::path set;
    const fs::path language = model.empty() ? fs::path() : find_language_model(root_ / model, set);
    return find_speaker_encoder(encoder, language, set);
  };
  touch("set/lm/config.json");
  touch("lm2/config.json");
  EXPECT_THROW(found({}, "set"), Error);
  EXPECT_THROW(found({}, {}), Error);
  const std::string commit(40, 'a');
  for (const char* repository : {"Orange--Speaker-wavLM-tbr", "nineninesix--speaker-emb-tbr"}) {
    const std::string base = concat("hub/models--", repository, "/");
    touch(base + "refs/main", commit);
    touch(base + "snapshots/" + commit + "/config.json");
    std::string name = repository;
    name.replace(name.find("--"), 2, "/");
    EXPECT_EQ(found({}, "lm2").name, name);
    EXPECT_EQ(found({}, {}).folder.filename(), commit);
  }
  EXPECT_EQ(found("Orange/Speaker-wavLM-tbr", "lm2").name, "Orange/Speaker-wavLM-tbr");
  touch("speaker/config.json");
  EXPECT_EQ(found({}, "lm2").folder, root_ / "speaker") << "beside the model";
  touch("lm2/speaker/config.json");
  touch("set/speaker/config.json");
  EXPECT_EQ(found({}, "lm2").folder, root_ / "lm2" / "speaker");
  EXPECT_EQ(found({}, "set").folder, root_ / "set" / "speaker");
  EXPECT_EQ(found({}, "set").name, "set/speaker");
  touch("other/config.json");
  EXPECT_EQ(found(root_ / "other", "set").folder, root_ / "other");
  EXPECT_EQ(found(root_ / "other" / "config.json", "set").folder, root_ / "other");
  EXPECT_THROW(found(root_ / "none", "set"), Error);
  EXPECT_THROW(found("user/none", "set"), Error);
  fs::create_directories(root_ / "empty");
  EXPECT_THROW(found(root_ / "empty", "set"), Error);
}

}  // namespace
}  // namespace kani
