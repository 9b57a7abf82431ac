// tar_test.cc - where the files of an archive lie.  Picking members and hostile headers:
// nemo_test.cc.
#include "kani/formats/tar.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/bytes.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

using test::pax_record;
using test::tar_end;
using test::tar_member;

std::vector<TarFile> list(const std::string& archive, size_t most = 100) {
  return list_tar(*memory_source(bytes_of(archive)), most, "a.tar");
}

std::string refusal(const std::string& archive, size_t most = 100) {
  try {
    list(archive, most);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Tar, files_are_told_with_the_place_of_their_data_and_nothing_else_is) {
  const std::string name(300, 'n');
  const std::string archive =
      tar_member({.name = "./a/", .type = '5'}) + tar_member({.name = "./a/1.wav", .data = "one"}) +
      tar_member({.name = "link.wav", .type = '2'}) +
      tar_member({.name = "pipe.wav", .type = '6'}) +
      tar_member({.name = "@", .data = name + '\0', .type = 'L'}) +
      tar_member({.name = "cut", .data = "two"}) +
      tar_member({.name = "@", .data = pax_record("path", "\xC3\xA9.wav"), .type = 'x'}) +
      tar_member({.name = "e.wav", .data = std::string(513, 'x')}) +
      tar_member({.name = "3.wav", .data = "", .prefix = "deep"}) + tar_end();
  const std::vector<TarFile> files = list(archive);
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[0].name, "a/1.wav");
  EXPECT_EQ(archive.substr(files[0].at, files[0].bytes), "one");
  EXPECT_EQ(files[1].name, name);
  EXPECT_EQ(archive.substr(files[1].at, files[1].bytes), "two");
  EXPECT_EQ(files[2].name, "\xC3\xA9.wav");
  EXPECT_EQ(files[2].bytes, 513U);
  EXPECT_EQ(files[3].name, "deep/3.wav");
  EXPECT_EQ(files[3].bytes, 0U);
}

TEST(Tar, of_a_file_the_same_is_told_without_reading_the_data) {
  const std::string name =
      (std::filesystem::temp_directory_path() / ("kani-tar-" + std::to_string(getpid()))).string();
  // 8 GiB that are not there: a hole in the file.
  constexpr uint64_t kHole = uint64_t{1} << 33;
  const std::string head = tar_member({.name = "1.wav", .data = "one"}) +
                           tar_member({.name = "hole", .size_field = test::octal(kHole, 12)});
  const std::string tail = tar_member({.name = "2.wav", .data = "two"}) + tar_end();
  write_file(name, head);
  std::filesystem::resize_file(name, head.size() + kHole);
  {
    const InputFile file(name);
    EXPECT_THROW(list_tar(*file_source(file), 100, name), Error);  // cut behind the hole
  }
  FILE* out = std::fopen(name.c_str(), "ab");
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(std::fwrite(tail.data(), 1, tail.size(), out), tail.size());
  std::fclose(out);
  const InputFile file(name);
  std::filesystem::remove(name);
  const std::vector<TarFile> files = list_tar(*file_source(file), 100, name);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[1].bytes, kHole);
  std::byte bytes[3];
  file.read_at(files[2].at, bytes);
  EXPECT_EQ(text_of(bytes), "two");
}

TEST(Tar, archives_that_are_cut_or_lie_are_refused) {
  const std::string one = tar_member({.name = "1.wav", .data = "one"});
  EXPECT_NE(refusal(one).find("two end blocks are missing"), std::string::npos);
  EXPECT_NE(refusal(one + std::string(512, '\0')).find("one end block"), std::string::npos);
  EXPECT_NE(refusal(one.substr(0, 514)).find("the archive ends after 2"), std::string::npos);
  const std::string two = tar_member({.name = "2.wav"});
  EXPECT_EQ(refusal(one + two + tar_end(), 2), "");
  EXPECT_NE(refusal(one + two + tar_end(), 1).find("more than 1 tar members"), std::string::npos);
  EXPECT_NE(refusal(one + tar_member({.name = "../2.wav"}) + tar_end()).find("\"..\" part"),
            std::string::npos);
  EXPECT_NE(refusal(one + one + tar_end()).find("occurs twice"), std::string::npos);
}

}  // namespace
}  // namespace kani
