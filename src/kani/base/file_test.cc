#include "kani/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "kani/base/error.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = fs::temp_directory_path() / "kani-file-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~FileTest() override { fs::remove_all(folder_); }

  size_t files_in_folder() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_;
};

template <typename Call>
ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST_F(FileTest, what_is_committed_can_be_read) {
  write_file(folder_ / "a", "hello");
  EXPECT_EQ(read_file(folder_ / "a", 100), "hello");
  EXPECT_EQ(MappedFile(folder_ / "a").bytes().size(), 5u);
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, without_commit_nothing_is_left) {
  write_file(folder_ / "a", "old");
  {
    AtomicFile file(folder_ / "a");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder_ / "a", 100), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, pieces_are_read_up_to_the_end) {
  write_file(folder_ / "a", "0123456789");
  const InputFile file(folder_ / "a");
  std::string piece(4, '\0');
  EXPECT_EQ(file.size(), 10u);
  EXPECT_EQ(file.read_at(3, std::as_writable_bytes(std::span(piece))), 4u);
  EXPECT_EQ(piece, "3456");
  EXPECT_EQ(file.read_at(8, std::as_writable_bytes(std::span(piece))), 2u);
  EXPECT_EQ(file.read_at(100, std::as_writable_bytes(std::span(piece))), 0u);
}

TEST_F(FileTest, errors_have_the_documented_codes) {
  EXPECT_EQ(code_of([&] { InputFile file(folder_ / "none"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { InputFile file(folder_); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "none", 10); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { MappedFile file(folder_ / "none"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(folder_, 10); }), ErrorCode::kBadInput);
  mkfifo((folder_ / "pipe").c_str(), 0600);
  EXPECT_EQ(code_of([&] { read_file(folder_ / "pipe", 10); }), ErrorCode::kBadInput);
  write_file(folder_ / "long", "0123456789ab");
  EXPECT_EQ(code_of([&] { read_file(folder_ / "long", 10); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { write_file(folder_ / "no" / "such", "x"); }), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of([&] { write_file(folder_, "x"); }), ErrorCode::kCannotWrite);
}

TEST_F(FileTest, files_may_be_for_the_owner_alone) {
  const auto mode_of = [&](const char* name) {
    struct stat info {};
    EXPECT_EQ(stat((folder_ / name).c_str(), &info), 0);
    return info.st_mode & 07777;
  };
  const mode_t before = umask(022);
  write_file(folder_ / "usual", "x");
  write_file(folder_ / "own", "x", AtomicFile::Access::kOwnerOnly);
  write_file(folder_ / "usual", "y", AtomicFile::Access::kOwnerOnly);
  umask(before);
  EXPECT_EQ(mode_of("own"), 0600U);
  EXPECT_EQ(mode_of("usual"), 0600U) << "replaced, mode and all";
}

TEST_F(FileTest, what_is_there_is_found_through_links_and_nothing_throws) {
  write_file(folder_ / "file", "x");
  std::filesystem::create_symlink("file", folder_ / "link");
  std::filesystem::create_symlink("nowhere", folder_ / "broken");
  std::filesystem::create_symlink("circle", folder_ / "circle");
  EXPECT_TRUE(is_there(folder_));
  EXPECT_TRUE(is_there(folder_ / "link"));
  for (const char* name : {"other", "broken", "circle", "file/below"})
    EXPECT_FALSE(is_there(folder_ / name)) << name;
  EXPECT_FALSE(is_there(folder_ / std::string(5000, 'x')));
}

TEST_F(FileTest, empty_file_maps_to_no_bytes) {
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(MappedFile(folder_ / "empty").bytes().empty());
}

}  // namespace
}  // namespace kani
