// event_file_test.cc - the checksum's published value, and a file read back by hand.
#include "kani/train/event_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::train {
namespace {

TEST(EventFile, the_checksum_is_castagnolis) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(EventFile, records_are_whole_and_hold_name_and_value) {
  const auto folder = std::filesystem::temp_directory_path() / concat("kani-events-", getpid());
  std::filesystem::create_directories(folder);
  {
    EventFile file(folder);
    file.write(7, {{"loss", 1.5}});
  }
  const std::string text = read_file(std::filesystem::directory_iterator(folder)->path(), 1 << 20);
  std::filesystem::remove_all(folder);
  size_t records = 0, at = 0;
  std::string last;
  for (; at < text.size(); ++records) {
    uint64_t length = 0;
    ASSERT_LE(at + 12, text.size());
    std::memcpy(&length, text.data() + at, 8);
    ASSERT_LE(at + 16 + length, text.size());
    last = text.substr(at + 12, length);
    at += 16 + length;
  }
  EXPECT_EQ(records, 2u);
  EXPECT_EQ(at, text.size());
  const std::string value = {"\x0a\x04loss\x15\x00\x00\xc0\x3f", 11};  // tag, 1.5F
  EXPECT_NE(last.find(value), std::string::npos);
  EXPECT_NE(last.find(std::string("\x10\x07", 2)), std::string::npos);  // step
}

}  // namespace
}  // namespace kani::train
