// zip_test.cc - the reader of torch's ZIP archives: the ZIP part of the "torch ZIP / pickle" list
// of reliability.md 6.
#include "kani/formats/zip.h"

#include <gtest/gtest.h>

#include "kani/formats/bytes.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

using test::expect_refused;
using test::zip_file;
using test::ZipEntry;
using test::ZipTail;

ZipReader open(const std::string& file, const ZipLimits& limits = {}) {
  return ZipReader(bytes_of(file), "t.zip", limits);
}

// Everything that a reader of all members does.
void read_all(const std::string& file, const ZipLimits& limits = {}) {
  const ZipReader zip = open(file, limits);
  for (const ZipMember& member : zip.members()) zip.checked_bytes(member);
}

const ZipEntry kA{.name = "r/a", .data = "first"};
const ZipEntry kB{.name = "r/b", .data = "second"};

ZipEntry changed(void (*change)(ZipEntry&)) {
  ZipEntry entry = kA;
  change(entry);
  return entry;
}

TEST(Zip, members_are_found_and_read_in_place) {
  const std::string file = zip_file({kA, kB, {.name = "r/empty", .data = ""}});
  const ZipReader zip = open(file);
  ASSERT_EQ(zip.members().size(), 3u);
  const std::span<const std::byte> b = zip.checked_bytes(*zip.find("r/b"));
  EXPECT_EQ(text_of(b), "second");
  EXPECT_GE(b.data(), bytes_of(file).data());
  EXPECT_TRUE(zip.checked_bytes(*zip.find("r/empty")).empty());
  EXPECT_EQ(zip.find("r"), nullptr);
  EXPECT_TRUE(open(zip_file({})).members().empty());
}

TEST(Zip, sizes_behind_the_data_and_a_comment_are_understood) {
  const std::string file =
      zip_file({{.name = "r/a", .data = "first", .flags = 8}}, {.comment = "hello"});
  const ZipReader zip = open(file);
  EXPECT_EQ(text_of(zip.checked_bytes(*zip.find("r/a"))), "first");
}

// The archive of kA alone, with ZIP64's records in front of its end record, changed by `change`.
std::string with_zip64(void (*change)(std::string& records)) {
  const std::string plain = zip_file({kA});
  const uint64_t at = plain.size() - 22;
  const uint64_t directory = plain.find("PK\1\2");
  std::string records = test::Zip64{.entries = 1,
                                    .directory_bytes = at - directory,
                                    .directory_offset = directory,
                                    .record_offset = at}
                            .text();
  change(records);
  return plain.substr(0, at) + records + plain.substr(at);
}

TEST(Zip, the_zip64_records_that_torch_always_writes_are_passed) {
  EXPECT_NO_THROW(read_all(with_zip64([](std::string&) {})));
  for (const size_t offset : {0, 4, 16, 24, 32, 40, 48, 64}) {
    SCOPED_TRACE(offset);
    static size_t changed_offset;
    changed_offset = offset;
    const std::string file = with_zip64([](std::string& r) { r[changed_offset] ^= 1; });
    expect_refused([&] { read_all(file); }, "t.zip", "disagree with the end record");
  }
}

TEST(Zip, hostile_archives_are_refused_with_their_reason) {
  struct Hostile {
    std::string_view item;  // number in the list, and what
    std::string file;
    std::string_view reason;
  };
  const std::string good = zip_file({kA, kB});
  const std::string zip64_extra =
      test::little(uint16_t{1}) + test::little(uint16_t{8}) + std::string(8, 'x');
  const std::vector<Hostile> table = {
      {"no archive", "hello", "no end record"},
      {"empty", "", "no end record"},
      {"2 compressed", zip_file({changed([](ZipEntry& e) { e.method = 8; })}), "is compressed"},
      {"2 compressed in the local header alone",
       zip_file({changed([](ZipEntry& e) { e.local_method = 8; })}), "the compression"},
      {"3 names differ", zip_file({changed([](ZipEntry& e) { e.local_name = "r/x"; })}),
       "the name"},
      {"3 name lengths differ", zip_file({changed([](ZipEntry& e) { e.local_name = "r/aa"; })}),
       "the name"},
      {"3 flags differ", zip_file({changed([](ZipEntry& e) { e.local_flags = 8; })}), "the flags"},
      {"3 sizes differ", zip_file({changed([](ZipEntry& e) { e.local_size = 4; })}), "the size"},
      {"3 CRCs differ", zip_file({changed([](ZipEntry& e) { e.local_crc = 4; })}), "the CRC-32"},
      {"3 no CRC, and none behind", zip_file({changed([](ZipEntry& e) { e.local_crc = 0; })}),
       "the CRC-32"},
      {"3 no local header", "X" + zip_file({kA}).substr(1), "a member"},
      {"4 overlapping", zip_file({kA, {.name = "r/b", .data = "second", .offset = 20}}),
       "runs into"},
      {"4 same place", zip_file({kA, {.name = "r/b", .data = "second", .offset = 0}}), "runs into"},
      {"4 twice", zip_file({kA, kB, kA}), "\"r/a\" occurs twice"},
      {"4 encrypted", zip_file({changed([](ZipEntry& e) { e.flags = 1; })}), "is encrypted"},
      {"4 strongly encrypted", zip_file({changed([](ZipEntry& e) { e.flags = 64; })}),
       "is encrypted"},
      {"4 hidden headers", zip_file({changed([](ZipEntry& e) { e.flags = 1 << 13; })}),
       "is encrypted"},
      {"4 ZIP64 extra field",
       zip_file({{.name = "r/a", .data = "x", .central_extra = zip64_extra}}), "ZIP64"},
      {"4 ZIP64 size", zip_file({changed([](ZipEntry& e) { e.size = 0xFFFFFFFF; })}), "ZIP64"},
      {"4 ZIP64 offset", zip_file({changed([](ZipEntry& e) { e.offset = 0xFFFFFFFF; })}), "ZIP64"},
      {"4 ZIP64 locator", zip_file({kA}, {.before_end = "PK\6\7" + std::string(16, '\0')}),
       "ZIP64"},
      {"4 ZIP64 locator without room for a record",
       "PK\6\6" + std::string(8, '\0') + "PK\6\7" + std::string(16, '\0') + zip_file({}),
       "disagree with the end record"},
      {"4 ZIP64 number of entries", zip_file({kA}, {.entries = 0xFFFF}), "ZIP64"},
      {"4 ZIP64 directory size", zip_file({kA}, {.directory_bytes = 0xFFFFFFFF}), "ZIP64"},
      {"4 ZIP64 directory", zip_file({kA}, {.directory_offset = 0xFFFFFFFF}), "ZIP64"},
      {"4 comment that is an archive", zip_file({kA}, {.comment = good}), "two ZIP end records"},
      {"4 comment with a broken end record",
       zip_file({kA}, {.comment = "PK\5\6" + std::string(18, '\x7F')}), "no end record"},
      {"5 CRC wrong", zip_file({changed([](ZipEntry& e) { e.crc = 5; })}), "is damaged"},
      {"6 offset past the file", zip_file({changed([](ZipEntry& e) { e.offset = 1'000'000; })}),
       "runs into"},
      {"6 size past the file", zip_file({changed([](ZipEntry& e) { e.size = 0xFFFFFFFE; })}),
       "runs into"},
      {"6 size into the directory", zip_file({changed([](ZipEntry& e) { e.size = 20; })}),
       "runs into"},
      {"6 extra field into the directory",
       zip_file({changed([](ZipEntry& e) { e.local_extra = 60'000; })}), "runs into"},
      {"two sizes", zip_file({changed([](ZipEntry& e) { e.packed_size = 4; })}), "two sizes"},
      {"other disk", zip_file({changed([](ZipEntry& e) { e.disk = 1; })}), "another disk"},
      {"several disks", zip_file({kA}, {.disk = 1}), "several disks"},
      {"directory offset beyond", zip_file({kA}, {.directory_offset = 1'000'000}),
       "does not end at"},
      {"directory too long", zip_file({kA}, {.directory_bytes = 1'000'000}), "does not end at"},
      {"bytes in front of the archive", "MZ" + good, "does not end at"},
      {"more entries than there are", zip_file({kA}, {.entries = 2}), "no ZIP directory entry"},
      {"fewer entries than there are", zip_file({kA, kB}, {.entries = 1}),
       "more than its 1 entries"},
      {"parent folder", zip_file({{.name = "r/../a", .data = "x"}}), "\"..\" part"},
      {"absolute", zip_file({{.name = "/a", .data = "x"}}), "is absolute"},
      {"backslash", zip_file({{.name = "r\\a", .data = "x"}}), "backslash"},
      {"NUL", zip_file({{.name = std::string("r/\0a", 4), .data = "x"}}), "control character"},
      {"no UTF-8", zip_file({{.name = "r/\xFF", .data = "x"}}), "not UTF-8"},
      {"no name", zip_file({{.name = "", .data = "x"}}), "is empty"},
  };
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    expect_refused([&] { read_all(h.file); }, "t.zip", h.reason);
  }
}

TEST(Zip, entry_that_reaches_beyond_the_directory_is_refused) {
  std::string file = zip_file({kA});
  const size_t entry = file.find("PK\1\2");
  file[entry + 32] = '\x7F';  // length of the comment
  expect_refused([&] { open(file); }, "t.zip", "is cut off");
}

TEST(Zip, archive_in_an_archive_is_data) {
  const std::string file = zip_file({{.name = "r/inner.zip", .data = zip_file({kA})}, kB});
  EXPECT_EQ(open(file).members().size(), 2u);
  EXPECT_NO_THROW(read_all(file));
}

TEST(Zip, limits_hold) {
  expect_refused([&] { open(zip_file({kA, kB}), {.members = 1}); }, "t.zip", "2 ZIP members");
  expect_refused(
      [&] {
        open(zip_file({kA, kB}), {.total_bytes = 10});
      },
      "t.zip", "more than 10 bytes");
  EXPECT_NO_THROW(open(zip_file({kA, kB}), {.members = 2, .total_bytes = 11}));
}

TEST(Zip, every_cut_of_an_archive_is_refused) {
  const std::string file = zip_file({kA, kB});
  for (size_t length = 0; length < file.size(); ++length) {
    expect_refused([&] { read_all(file.substr(0, length)); }, "t.zip", "");
  }
}

TEST(Zip, end_record_is_recognized) {
  const std::string file = zip_file({kA}, {.comment = "hello"});
  EXPECT_EQ(find_zip_end(bytes_of(file)), file.size() - 27);
  EXPECT_EQ(find_zip_end(bytes_of(file + "x")), std::nullopt);
  EXPECT_EQ(find_zip_end(bytes_of("PK\5\6")), std::nullopt);
}

}  // namespace
}  // namespace kani
