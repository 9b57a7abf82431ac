// SHA-256: the vectors of FIPS 180-4 and its companions, whole, in pieces and from files.
#include "kani/base/sha256.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kMillion =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, known_answers) {
  EXPECT_EQ(sha256_hex(bytes_of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(bytes_of("abc")), kAbc);
  EXPECT_EQ(sha256_hex(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(bytes_of(std::string(1'000'000, 'a'))), kMillion);
}

TEST(Sha256, pieces_give_the_hash_of_the_whole) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(bytes_of(std::string(1000, 'a')));
  hash.update({});
  EXPECT_EQ(hex_text(hash.finish()), kMillion);
}

TEST(Sha256, files_are_hashed_in_blocks) {
  std::string name = std::filesystem::temp_directory_path() / "kani-sha256-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name.data());
  write_file(folder / "small", "abc");
  const std::string large(3'000'001, 'x');  // three blocks, the last one short
  write_file(folder / "large", large);
  EXPECT_EQ(sha256_hex(folder / "small"), kAbc);
  EXPECT_EQ(sha256_hex(folder / "large"), sha256_hex(bytes_of(large)));
  EXPECT_THROW(sha256_hex(folder / "none"), Error);
  EXPECT_THROW(sha256_hex(folder), Error) << "a folder has no bytes";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace kani
