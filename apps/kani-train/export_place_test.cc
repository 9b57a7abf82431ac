// export_place_test.cc - an export overwrites nothing but an earlier one.
#include "export_place.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class ExportPlace : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "base");
    fs::create_directories(folder_ / "recordings");
    write_file(folder_ / "recordings" / "a.wav", "RIFF");
    write_file(folder_ / "file.wav", "RIFF");
  }
  void TearDown() override { fs::remove_all(folder_); }
  // What a folder is refused with; empty: it is taken.
  std::string refusal(const fs::path& target) const {
    try {
      check_export_folder(target, places_, kModelFiles);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  std::string file_refusal(const fs::path& target) const {
    try {
      check_export_file(target, places_);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  const fs::path folder_ = fs::temp_directory_path() / concat("kani-export-place-", getpid());
  const RunPlaces places_{{"--model", folder_ / "base"},
                          {"--out", folder_ / "run"},
                          {"--init", folder_ / "codec.nemo"},
                          {"--valid", ""}};
};

TEST_F(ExportPlace, is_new_or_empty_or_holds_an_earlier_export) {
  EXPECT_EQ(refusal(folder_ / "new" / "model"), "");
  fs::create_directories(folder_ / "earlier");
  EXPECT_EQ(refusal(folder_ / "earlier"), "");
  for (const std::string& name : kModelFiles) write_file(folder_ / "earlier" / name, "x");
  EXPECT_EQ(refusal(folder_ / "earlier"), "");
  write_file(folder_ / "earlier" / "codec.nemo", "x");
  EXPECT_NE(refusal(folder_ / "earlier").find("holds codec.nemo"), std::string::npos);
}

TEST_F(ExportPlace, is_nothing_that_the_run_reads_or_writes) {
  EXPECT_NE(refusal(folder_ / "base").find("--model"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "recordings" / ".." / "base/").find("--model"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "run").find("--out"), std::string::npos);  // not there yet
  EXPECT_NE(refusal(folder_ / "recordings").find("a.wav"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "file.wav").find("cannot write"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "file.wav" / "model").find("cannot write"), std::string::npos);
}

TEST_F(ExportPlace, a_codec_is_a_file_of_a_kind_that_is_known) {
  EXPECT_EQ(file_refusal(folder_ / "new" / "x.nemo"), "");
  EXPECT_EQ(file_refusal(folder_ / "x.safetensors"), "");
  EXPECT_NE(file_refusal(folder_ / "x.foo").find(".nemo"), std::string::npos);
  EXPECT_NE(file_refusal(folder_ / "file.wav").find(".nemo"), std::string::npos);
  EXPECT_NE(file_refusal(folder_ / "codec.nemo").find("--init"), std::string::npos);
  EXPECT_NE(file_refusal(folder_ / "file.wav" / "x.nemo").find("cannot write"), std::string::npos);
}

}  // namespace
}  // namespace kani::train
