// arrow_folder_test.cc - which files a folder means, and names that lead out of it.
#include "kani/dataset/arrow_folder.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

class SetFolder : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text = "") {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    write_file(path, text);
  }
  std::vector<std::string> found(const std::string& name, const std::string& split) {
    std::vector<std::string> out;
    for (const auto& file : find_set_files(folder_.path(), name, split))
      out.push_back(file.lexically_relative(folder_.path()).string());
    return out;
  }
  void expect_state_refused(const std::string& state, const std::string& reason) {
    put("state.json", state);
    test::expect_refused([&] { found("", "train"); }, "state.json", reason);
  }

  test::TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(SetFolder, parquet_files_of_the_split_in_order) {
  put("data/train-00001-of-00002.parquet");
  put("data/train-00000-of-00002.parquet");
  put("data/test-00000-of-00001.parquet");
  put("data/.train-hidden.parquet");
  put("README.md");
  EXPECT_EQ(found("", "train"),
            (Names{"data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"}));
  EXPECT_EQ(found("", "test"), (Names{"data/test-00000-of-00001.parquet"}));
  EXPECT_THROW(found("", "validation"), Error);
}

TEST_F(SetFolder, files_without_a_word_are_the_training_split) {
  put("b.parquet");
  put("a.parquet");
  put("constrained.parquet");
  EXPECT_EQ(found("", "train"), (Names{"a.parquet", "b.parquet", "constrained.parquet"}));
  EXPECT_THROW(found("", "test"), Error);
}

TEST_F(SetFolder, a_configuration_is_a_subfolder) {
  put("english/train.parquet");
  put("german/train.parquet");
  EXPECT_EQ(found("german", "train"), (Names{"german/train.parquet"}));
  EXPECT_THROW(found("french", "train"), Error);
  EXPECT_THROW(found("..", "train"), Error);
}

TEST_F(SetFolder, a_saved_set_has_what_its_state_lists) {
  put("data-0.arrow", "x");
  put("state.json", R"({"_data_files": [{"filename": "data-0.arrow"}]})");
  EXPECT_EQ(found("", "train"), (Names{"data-0.arrow"}));
}

TEST_F(SetFolder, a_saved_dictionary_has_a_folder_for_each_split) {
  put("dataset_dict.json", R"({"splits": ["train"]})");
  put("train/state.json", R"({"_data_files": [{"filename": "d.arrow"}]})");
  EXPECT_EQ(found("", "train"), (Names{"train/d.arrow"}));
}

TEST_F(SetFolder, names_in_a_state_cannot_leave_the_folder) {
  for (const char* name : {"../x.arrow", "/etc/passwd", "..", "", "a/b"}) {
    expect_state_refused(concat(R"({"_data_files": [{"filename": ")", name, R"("}]})"),
                         "is no name in this folder");
  }
}

TEST_F(SetFolder, a_state_that_is_none_is_refused) {
  expect_state_refused("[]", "has no list _data_files");
  expect_state_refused("{", "");
  expect_state_refused(R"({"_data_files": []})", "lists no files");
  expect_state_refused(R"({"_data_files": [7]})", "has no filename");
  expect_state_refused(R"({"_data_files": [{"filename": "a"}], "_indices_files": [1]})",
                       "a view through _indices_files");
}

TEST_F(SetFolder, a_hash_that_is_there_must_fit) {
  const std::string text = "x";
  put("a.arrow", text);
  const std::string hash = sha256_hex(std::as_bytes(std::span(text)));
  put("state.json",
      concat(R"({"_data_files": [{"filename": "a.arrow", "sha256": ")", hash, R"("}]})"));
  EXPECT_EQ(found("", "train").size(), 1u);
  put("a.arrow", "y");
  test::expect_refused([&] { found("", "train"); }, "a.arrow", "differs from its SHA-256");
}

TEST_F(SetFolder, expressions_and_missing_folders_are_refused) {
  put("train.parquet");
  EXPECT_THROW(found("", "train[:10%]"), Error);
  EXPECT_THROW(found("", "../train"), Error);
  EXPECT_THROW(find_set_files(folder_ / "nothing", "", "train"), Error);
}

}  // namespace
}  // namespace kani
