// sealed_folder_test.cc - a folder that is written anew under its name is there at every moment,
// whatever renaming fails.  The program's own rename functions, which the C++ library calls too,
// fail when a test asks for it.
#include "kani/train/sealed_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace {

// What a renaming is to fail with; 0: nothing.  Only of folders, whose names hold "step-".
int g_exchange_error = 0, g_rename_error = 0, g_renames_before = 0;

int rename_system(const char* from, const char* to, unsigned flags) {
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
}

bool is_step(const char* path) { return std::string_view(path).find("step-") != std::string::npos; }

}  // namespace

extern "C" int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  if (flags == RENAME_EXCHANGE && g_exchange_error != 0) {
    errno = g_exchange_error;
    return -1;
  }
  return rename_system(from, to, flags);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  if (g_rename_error != 0 && is_step(from) && g_renames_before-- == 0) {
    errno = g_rename_error;
    return -1;
  }
  return rename_system(from, to, 0);
}

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class SealedFolder : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(output_);
    g_exchange_error = g_rename_error = g_renames_before = 0;
  }
  void TearDown() override {
    g_exchange_error = g_rename_error = 0;
    fs::remove_all(output_);
  }
  void write(const std::string& text) {
    write_sealed(folder_, [&](const fs::path& part) { write_file(part / "a", text); });
  }
  // What the newest whole one says.
  std::string newest() const {
    const auto found = newest_whole(output_, [](const fs::path& f) { verify_sealed(f, {"a"}); });
    return found ? read_file(*found / "a", 100) : "nothing";
  }
  const fs::path output_ = fs::temp_directory_path() / concat("kani-sealed-", getpid());
  const fs::path folder_ = output_ / "step-00000007";
};

TEST_F(SealedFolder, T2_what_has_the_name_stays_when_the_new_one_cannot_take_it) {
  write("good");
  g_exchange_error = EIO;
  g_rename_error = EIO;
  EXPECT_THROW(write("new"), Error);
  EXPECT_EQ(newest(), "good");
  g_exchange_error = g_rename_error = 0;
  write("new");
  EXPECT_EQ(newest(), "new");
  EXPECT_FALSE(fs::exists(folder_.string() + ".part"));
}

TEST_F(SealedFolder, T2_where_names_cannot_be_exchanged_the_old_one_is_moved_aside_and_back) {
  write("good");
  g_exchange_error = EINVAL;
  g_rename_error = EIO;
  g_renames_before = 1;  // the one aside
  EXPECT_THROW(write("new"), Error);
  EXPECT_EQ(newest(), "good");
  g_rename_error = 0;
  write("new");
  EXPECT_EQ(newest(), "new");
  EXPECT_FALSE(fs::exists(folder_.string() + ".old"));
}

TEST_F(SealedFolder, T2_one_that_was_left_aside_is_found_until_another_has_its_name) {
  write("good");
  fs::rename(folder_, folder_.string() + ".old");
  EXPECT_EQ(newest(), "good");
  EXPECT_THROW(require_no_steps(output_), Error);
  write("new");
  EXPECT_EQ(newest(), "new");
  EXPECT_EQ(step_folders(output_), std::vector<fs::path>{folder_});
}

TEST(Seal, lists_of_another_form_are_refused_with_the_line) {
  const std::string hash(64, 'a');
  EXPECT_EQ(parse_seal(hash + "  config.json\n", "MANIFEST").at("config.json"), hash);
  EXPECT_TRUE(parse_seal("", "MANIFEST").empty());
  for (const std::string& line :
       {hash + " config.json", hash + "  ", hash + "  ..", hash + "  a/b", hash + "a  b",
        std::string(64, 'g') + "  b", hash + "  b\n" + hash + "  b", std::string("\n")}) {
    try {
      parse_seal(line, "MANIFEST");
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_TRUE(std::string_view(error.what()).starts_with("MANIFEST: line \"")) << error.what();
    }
  }
}

}  // namespace
}  // namespace kani::train
