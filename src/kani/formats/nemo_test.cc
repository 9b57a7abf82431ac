// nemo_test.cc - .nemo archives: NeMo's own, ours written and read back, and the ".nemo (tar)" list
// of reliability.md 6 with its numbers.  Its items 13 and 14 (what the YAML says) are spec/'s.
#include "kani/formats/nemo.h"

#include <gtest/gtest.h>

#include <numeric>

#include "kani/base/file.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::expect_refused;
using test::gzip_of;
using test::little;
using test::octal;
using test::p_dictionary;
using test::p_global;
using test::p_int;
using test::p_text;
using test::p_tuple;
using test::pax_record;
using test::pickle_file;
using test::tar_end;
using test::tar_member;
using test::TensorPickle;
using test::zip_file;
using test::ZipEntry;

const std::string kConfig = "sample_rate: 22050\n";

// Tensors "a" F32 [2] of storage 0 and "b" F32 [2] of storage 1.
std::string checkpoint_pickle() {
  TensorPickle a;
  a.numel = p_int(2);
  a.shape = p_tuple({2});
  TensorPickle b = a;
  b.key = p_text("1");
  return pickle_file(p_dictionary() + "(" + p_text("a") + a.text() + p_text("b") + b.text() + "u");
}

std::vector<ZipEntry> checkpoint_entries(const std::string& pickle = checkpoint_pickle()) {
  const float numbers[] = {1, 2, 3, 4};
  const std::string data(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  return {{.name = "m/data.pkl", .data = pickle},
          {.name = "m/byteorder", .data = "little"},
          {.name = "m/data/0", .data = data.substr(0, 8)},
          {.name = "m/data/1", .data = data.substr(8)},
          {.name = "m/version", .data = "3\n"}};
}

const std::string kCheckpoint = zip_file(checkpoint_entries());

std::string config_member() { return tar_member({.name = "./model_config.yaml", .data = kConfig}); }
std::string weights_member(const std::string& checkpoint = kCheckpoint) {
  return tar_member({.name = "./model_weights.ckpt", .data = checkpoint});
}
// A good archive with `extra` in front.
std::string archive_with(const std::string& extra) {
  return extra + config_member() + weights_member() + tar_end();
}
std::string archive_of(const std::string& checkpoint) {
  return config_member() + weights_member(checkpoint) + tar_end();
}

NemoArchive parse(const std::string& file,
                  const std::function<bool(std::string_view)>& wanted = {}) {
  return parse_nemo(bytes_of(file), "t.nemo", wanted);
}

bool only_a(std::string_view name) { return name == "a"; }

void expect_good(const std::string& file) {
  const NemoArchive archive = parse(file);
  EXPECT_EQ(archive.config_yaml, kConfig);
  ASSERT_EQ(archive.weights->tensors().size(), 2u);
  EXPECT_EQ(tensor_to_f32(*archive.weights->find("b")), (std::vector<float>{3, 4}));
}

struct Hostile {
  std::string_view item;  // number in the list, and what
  std::string file;
  std::string_view reason;
};

void expect_all_refused(const std::vector<Hostile>& table) {
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    expect_refused([&] { parse(h.file); }, "t.nemo", h.reason);
  }
}

TEST(Nemo, hostile_archives_are_refused_with_their_reason) {
  const auto sized = [](std::string field) {
    return archive_with(tar_member({.name = "x", .size_field = std::move(field)}));
  };
  const std::string good = archive_with("");
  expect_all_refused({
      {"1 not a tar", std::string(2000, 'x'), "not a tar archive"},
      {"1 empty", "", "not a tar archive: 0 bytes"},
      {"1 zeros", std::string(10'240, '\0'), "begins with zeros"},
      {"1 half a gzip mark", "\x1F" + std::string(600, 'x'), "not a tar archive"},
      {"1 a ZIP", kCheckpoint, "not a tar archive"},
      {"3 absolute", archive_with(tar_member({.name = "/etc/x"})), "is absolute"},
      {"3 parent", archive_with(tar_member({.name = "../x"})), "\"..\" part"},
      {"3 parent inside", archive_with(tar_member({.name = "a/../../x"})), "\"..\" part"},
      {"3 dots", archive_with(tar_member({.name = "./././x"})), "\".\""},
      {"3 backslash", archive_with(tar_member({.name = "..\\x"})), "backslash"},
      {"3 control character", archive_with(tar_member({.name = "a\nb"})), "control character"},
      {"3 5 kB",
       archive_with(tar_member({.name = "L", .data = std::string(5000, 'n'), .type = 'L'}) +
                    tar_member({.name = "x"})),
       "longer than 4096"},
      {"3 no UTF-8", archive_with(tar_member({.name = "\xFF"})), "not UTF-8"},
      {"3 empty", archive_with(tar_member({.name = ""})), "is empty"},
      {"4 symbolic link", tar_member({.name = "model_config.yaml", .type = '2'}) + tar_end(),
       "not a regular file (type 2)"},
      {"4 hard link", tar_member({.name = "./model_config.yaml", .type = '1'}) + tar_end(),
       "not a regular file"},
      {"4 device", tar_member({.name = "model_config.yaml", .type = '3'}) + tar_end(),
       "not a regular file"},
      {"4 FIFO", tar_member({.name = "model_weights.ckpt", .type = '6'}) + tar_end(),
       "not a regular file"},
      {"4 folder", tar_member({.name = "model_config.yaml/", .type = '5'}) + tar_end(),
       "not a regular file"},
      {"4 link with data", archive_with(tar_member({.name = "x", .data = "abc", .type = '2'})),
       "must have none"},
      {"5 config twice", archive_with(config_member()), "occurs twice"},
      {"5 config twice, once without the dot",
       archive_with(tar_member({.name = "model_config.yaml", .data = "x"})), "occurs twice"},
      {"5 weights twice", good.substr(0, good.size() - 1024) + weights_member() + tar_end(),
       "occurs twice"},
      {"5 something else twice",
       archive_with(tar_member({.name = "x"}) + tar_member({.name = "x"})), "occurs twice"},
      {"6 size > archive", sized(octal(1'000'000, 11) + '\0'), "the archive ends after"},
      {"6 negative", sized("-0000000001" + std::string(1, '\0')), "not a number"},
      {"6 garbage", sized("0000000z001" + std::string(1, '\0')), "not a number"},
      {"6 digit 8", sized("00000000008" + std::string(1, '\0')), "not a number"},
      {"6 nothing", sized(std::string(12, '\0')), "not a number"},
      {"6 base-256 huge", sized("\x80" + std::string(11, '\xFF')), "not a number"},
      {"6 base-256 2^63", sized(std::string("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12)),
       "the archive ends after"},
      {"6 base-256 negative", sized(std::string(12, '\xFF')), "not a number"},
      {"6 config over its limit",
       archive_of(kCheckpoint)
           .replace(
               0, config_member().size(),
               tar_member({.name = "model_config.yaml", .data = std::string((1 << 20) + 1, '#')})),
       "at most 1048576"},
      {"7 pax header of 1 GB",
       archive_with(
           tar_member({.name = "h", .type = 'x', .size_field = octal(1 << 30, 11) + '\0'})),
       "extended header of 1073741824 bytes"},
      {"7 long name of 1 GB",
       archive_with(
           tar_member({.name = "h", .type = 'L', .size_field = octal(1 << 30, 11) + '\0'})),
       "extended header of 1073741824 bytes"},
      {"7 pax size over the archive",
       archive_with(tar_member({.name = "h", .data = pax_record("size", "99999999"), .type = 'x'}) +
                    tar_member({.name = "x"})),
       "the archive ends after"},
      {"7 pax size negative",
       archive_with(tar_member({.name = "h", .data = pax_record("size", "-1"), .type = 'x'})),
       "pax size"},
      {"7 pax size of 2^64",
       archive_with(tar_member(
           {.name = "h", .data = pax_record("size", "18446744073709551616"), .type = 'x'})),
       "pax size"},
      {"7 pax size of 40 digits",
       archive_with(tar_member(
           {.name = "h", .data = pax_record("size", std::string(40, '9')), .type = 'x'})),
       "pax size"},
      {"7 two pax paths",
       archive_with(tar_member(
           {.name = "h", .data = pax_record("path", "a") + pax_record("path", "b"), .type = 'x'})),
       "two names"},
      {"7 pax path is a parent",
       archive_with(tar_member({.name = "h", .data = pax_record("path", "../x"), .type = 'x'}) +
                    tar_member({.name = "x"})),
       "\"..\" part"},
      {"7 pax path makes a double",
       archive_with(
           tar_member({.name = "h", .data = pax_record("path", "model_config.yaml"), .type = 'x'}) +
           tar_member({.name = "x"})),
       "occurs twice"},
      {"7 two names",
       archive_with(tar_member({.name = "h", .data = pax_record("path", "a"), .type = 'x'}) +
                    tar_member({.name = "L", .data = "b", .type = 'L'}) +
                    tar_member({.name = "x"})),
       "two names"},
      {"7 pax record without length",
       archive_with(tar_member({.name = "h", .data = "path=x\n", .type = 'x'})), "malformed"},
      {"7 pax record of no length",
       archive_with(tar_member({.name = "h", .data = " path=x\n", .type = 'x'})), "malformed"},
      {"7 pax record too long",
       archive_with(tar_member({.name = "h", .data = "99 path=x\n", .type = 'x'})), "malformed"},
      {"7 pax record too short",
       archive_with(tar_member({.name = "h", .data = "2 path=x\n", .type = 'x'})), "malformed"},
      {"7 pax record without end",
       archive_with(tar_member({.name = "h", .data = "9 path=xy", .type = 'x'})), "malformed"},
      {"7 pax record without key",
       archive_with(tar_member({.name = "h", .data = "6 pat\n", .type = 'x'})), "without \"=\""},
      {"7 pax header without a member",
       archive_with("").substr(0, good.size() - 1024) +
           tar_member({.name = "h", .data = pax_record("path", "x"), .type = 'x'}) + tar_end(),
       "without a member"},
      {"8 GNU sparse", archive_with(tar_member({.name = "x", .type = 'S'})), "sparse"},
      {"8 pax sparse",
       archive_with(
           tar_member({.name = "h", .data = pax_record("GNU.sparse.major", "1"), .type = 'x'})),
       "sparse"},
      {"9 checksum",
       archive_with(tar_member({.name = "x"}) + tar_member({.name = "y", .checksum_error = 1})),
       "wrong checksum (tar header at offset 512)"},
      {"9 checksum of the first", archive_with(tar_member({.name = "y", .checksum_error = 1})),
       "not a tar archive"},
      {"10 no end block", good.substr(0, good.size() - 1024), "end blocks are missing"},
      {"10 one end block", good.substr(0, good.size() - 512), "must be two"},
      {"10 a member behind one end block",
       good.substr(0, good.size() - 512) + tar_member({.name = "x", .data = "y"}), "must be two"},
      {"10 cut in a member", good.substr(0, 700), "the archive ends after"},
      {"10 cut in a header", good.substr(0, 1200), "end blocks are missing"},
      {"12 weights without config", weights_member() + tar_end(),
       "no member \"model_config.yaml\""},
      {"12 config without weights", config_member() + tar_end(),
       "no member \"model_weights.ckpt\""},
      {"16 trailing archive", good + good, "something else follows"},
      {"16 trailing byte", good + std::string(511, '\0') + "x", "something else follows"},
      {"16 a lot of padding", good + std::string(2 << 20, '\0'), "something else follows"},
      {"config is not UTF-8",
       tar_member({.name = "model_config.yaml", .data = "a: \xFF"}) + weights_member() + tar_end(),
       "not UTF-8 at offset 3"},
      {"config is UTF-16",
       tar_member({.name = "model_config.yaml", .data = std::string("a\0:\0", 4)}) +
           weights_member() + tar_end(),
       "holds a NUL at offset 1"},
  });
}

TEST(Nemo, archive_with_100000_members_is_refused) {  // 11
  std::string members;
  for (int i = 0; i < 100'000; ++i) members += tar_member({.name = concat("m", i)});
  expect_refused([&] { parse(archive_with(members)); }, "t.nemo", "more than 4096 tar members");
}

TEST(Nemo, hostile_gzip_streams_are_refused) {
  const std::string good = gzip_of(archive_with(""));
  std::string damaged = good;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x10);
  const std::string zeros = tar_member({.name = "x", .data = std::string(20 << 20, '\0')});
  const std::string bomb = gzip_of(archive_with(zeros));
  expect_all_refused({
      {"2 bomb", bomb, "grows to more than"},
      {"2 nested", gzip_of(bomb), "not a tar archive"},
      {"2 wanted member that only claims its size",
       gzip_of(tar_member(
           {.name = "model_weights.ckpt", .size_field = octal(3'000'000'000, 11) + '\0'})),
       "the archive ends after"},
      {"2 unwanted member that only claims its size",
       gzip_of(tar_member({.name = "x", .size_field = octal(3'000'000'000, 11) + '\0'})),
       "the archive ends after"},
      {"17 something behind the stream", good + "garbage", "gzip stream is damaged"},
      {"17 zeros behind the stream", good + std::string(10, '\0'), "gzip stream is damaged"},
      {"mark alone", "\x1F\x8B", "ends in the middle"},
      {"cut", good.substr(0, good.size() - 9), "ends in the middle"},
      {"damaged", damaged, ""},
      {"wrong length at the end", good.substr(0, good.size() - 1) + "x", "gzip stream is damaged"},
  });
}

TEST(Nemo, what_honest_writers_do_is_read) {
  expect_good(archive_with(""));
  expect_good(weights_member() + config_member() + tar_end());
  expect_good(archive_with(tar_member({.name = "./", .type = '5'})));
  expect_good(archive_with(tar_member({.name = ".", .type = '5'}) +
                           tar_member({.name = "./sub/", .type = '5'})));
  expect_good(archive_with(tar_member({.name = "./other.model", .data = "unwanted"}) +
                           tar_member({.name = "sub/link", .type = '2'}) +
                           tar_member({.name = "sub/pipe", .type = '6'})));
  expect_good(archive_with("") + std::string(9216, '\0'));
  expect_good(tar_member({.name = "model_config.yaml", .data = kConfig, .type = '\0'}) +
              tar_member({.name = "model_weights.ckpt", .data = kCheckpoint, .type = '7'}) +
              tar_end());
  expect_good(archive_with(tar_member({.name = "volume", .type = 'V'})));
  // pax: times in front of each member, a comment for all, an honest path and size
  expect_good(archive_with(
      tar_member({.name = "g", .data = pax_record("comment", "c"), .type = 'g'}) +
      tar_member(
          {.name = "././@PaxHeader", .data = pax_record("mtime", "1795337713.25"), .type = 'x'})));
  expect_good(tar_member({.name = "h",
                          .data = pax_record("path", "./model_config.yaml") +
                                  pax_record("size", std::to_string(kConfig.size())),
                          .type = 'x'}) +
              tar_member({.name = "short", .data = kConfig, .size_field = octal(0, 11) + '\0'}) +
              weights_member() + tar_end());
  // GNU: long name and link, other mark; binary size; V7: no mark
  expect_good(
      tar_member({.name = "K", .data = std::string(200, 'k'), .type = 'K'}) +
      tar_member({.name = "L", .data = std::string("./model_config.yaml\0", 20), .type = 'L'}) +
      tar_member({.name = "short", .data = kConfig, .magic = std::string("ustar  \0", 8)}) +
      weights_member() + tar_end());
  expect_good(tar_member({.name = "model_config.yaml",
                          .data = kConfig,
                          .size_field = "\x80" + std::string(10, '\0') +
                                        std::string(1, static_cast<char>(kConfig.size()))}) +
              weights_member() + tar_end());
  expect_good(tar_member({.name = "model_config.yaml", .data = kConfig, .magic = ""}) +
              weights_member() + tar_end());
  expect_good(archive_with(tar_member({.name = "name", .data = "x", .prefix = "folder"})));
}

TEST(Nemo, gzip_of_an_archive_is_read) {
  const std::string tar = archive_with("");
  expect_good(gzip_of(tar));
  expect_good(gzip_of(tar.substr(0, 700)) + gzip_of("") + gzip_of(tar.substr(700)));  // 17
}

TEST(Nemo, hostile_checkpoints_are_refused_with_their_reason) {
  const auto changed = [](size_t entry, void (*change)(ZipEntry&)) {
    std::vector<ZipEntry> entries = checkpoint_entries();
    change(entries[entry]);
    return archive_of(zip_file(entries));
  };
  const auto with_pickle = [](const std::string& pickle) {
    return archive_of(zip_file(checkpoint_entries(pickle)));
  };
  const auto tensor = [&](void (*change)(TensorPickle&)) {
    TensorPickle t;
    t.numel = p_int(2);
    t.shape = p_tuple({2});
    change(t);
    return with_pickle(pickle_file("}" + p_text("a") + t.text() + "s"));
  };
  expect_all_refused({
      {"15 not a ZIP", archive_of("hello"), "not a ZIP archive"},
      {"15 legacy pickle", archive_of("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
       "not a ZIP archive"},
      {"15 ZIP without a pickle", archive_of(zip_file({{.name = "m/x", .data = "x"}})),
       "no \"m/data.pkl\""},
      {"15 ZIP without a folder", archive_of(zip_file({{.name = "data.pkl", .data = "x"}})),
       "one folder"},
      {"15 ZIP of two folders",
       archive_of(zip_file({{.name = "m/data.pkl", .data = "x"}, {.name = "n/x", .data = "x"}})),
       "one folder"},
      {"15 empty ZIP", archive_of(zip_file({})), "is empty"},
      {"2 compressed", changed(2, [](ZipEntry& e) { e.method = 8; }), "is compressed"},
      {"5 CRC of a storage", changed(2, [](ZipEntry& e) { e.crc = 1; }), "\"m/data/0\" is damaged"},
      {"5 CRC of the pickle", changed(0, [](ZipEntry& e) { e.crc = 1; }),
       "\"m/data.pkl\" is damaged"},
      {"7 pickle of 9 MB",
       archive_of(zip_file({{.name = "m/data.pkl", .data = std::string(9 << 20, 'N')}})),
       "at most 8388608"},
      {"15 storage size != member size", changed(2, [](ZipEntry& e) { e.data.resize(4); }),
       "storage of 2 F32 has 4 bytes"},
      {"15 no storage", tensor([](TensorPickle& t) { t.key = p_text("7"); }),
       "no storage \"m/data/7\""},
      {"15 size of the storage lies", tensor([](TensorPickle& t) { t.numel = p_int(1 << 30); }),
       "storage of 1073741824"},
      {"16 offset beyond", tensor([](TensorPickle& t) { t.offset = p_int(1); }),
       "leave the storage"},
      {"16 stride beyond", tensor([](TensorPickle& t) { t.strides = p_tuple({2}); }),
       "leave the storage"},
      {"18 huge shape", tensor([](TensorPickle& t) {
         t.shape = t.strides = p_tuple({2147483647, 2147483647, 2147483647});
       }),
       "overflows"},
      {"16 huge strides", tensor([](TensorPickle& t) {
         t.shape = p_tuple({2147483647, 2});
         t.strides = p_tuple({2147483647, 2147483647});
       }),
       "leave the storage"},
      {"17 not contiguous", tensor([](TensorPickle& t) {
         t.shape = p_tuple({2, 2});
         t.strides = p_tuple({1, 1});
         t.numel = p_int(4);
         t.storage_type = p_global("torch", "HalfStorage");
       }),
       "not those of a contiguous"},
      {"19 big-endian", changed(1, [](ZipEntry& e) { e.data = "big"; }), "byte order \"big\""},
      {"19 odd byte order", changed(1, [](ZipEntry& e) { e.data = std::string(100, 'x'); }),
       "byte order"},
      {"9 os.system", with_pickle(pickle_file(p_global("os", "system"))), "\"os.system\""},
      {"a tensor alone",
       with_pickle(pickle_file(TensorPickle{.numel = p_int(2), .shape = p_tuple({2})}.text())),
       "not a dictionary"},
      {"a number among tensors", with_pickle(pickle_file("}" + p_text("epoch") + p_int(1) + "s")),
       "\"epoch\" is not a tensor"},
      {"5 tensor twice",
       with_pickle(pickle_file(
           "}(" + p_text("a") + TensorPickle{.numel = p_int(2), .shape = p_tuple({2})}.text() +
           p_text("a") + TensorPickle{.numel = p_int(2), .shape = p_tuple({1})}.text() + "u")),
       "\"a\" occurs twice"},
  });
}

TEST(Nemo, unwanted_tensors_are_not_read) {
  std::vector<ZipEntry> entries = checkpoint_entries();
  entries[3].crc = 1;                  // of "b"
  entries[3].local_name = "m/data/?";  // and its local header is nonsense
  const std::string file = archive_of(zip_file(entries));
  const NemoArchive archive = parse(file, only_a);
  ASSERT_EQ(archive.weights->tensors().size(), 1u);
  EXPECT_EQ(tensor_to_f32(*archive.weights->find("a")), (std::vector<float>{1, 2}));
  EXPECT_EQ(archive.weights->find("b"), nullptr);
  expect_refused([&] { parse(file); }, "t.nemo", "disagree on the name");
  // … but their claims are held against the archive.
  entries = checkpoint_entries();
  entries[3].data.resize(4);
  expect_refused([&] { parse(archive_of(zip_file(entries)), only_a); }, "t.nemo", "tensor \"b\"");
}

TEST(Nemo, what_is_not_a_tensor_may_stay_unwanted) {
  TensorPickle a;
  a.numel = p_int(2);
  a.shape = p_tuple({2});
  const std::string file = archive_of(zip_file(checkpoint_entries(
      pickle_file("}(" + p_text("epoch") + p_int(1) + p_text("a") + a.text() + "u"))));
  EXPECT_EQ(parse(file, only_a).weights->tensors().size(), 1u);
  expect_refused([&] { parse(file, [](std::string_view) { return true; }); }, "t.nemo",
                 "\"epoch\" is not a tensor");
}

TEST(Nemo, tensors_may_share_a_storage_and_be_of_every_type) {
  std::vector<ZipEntry> entries = checkpoint_entries();
  std::string body = "}(";
  for (const auto& [type, numel] : std::vector<std::pair<std::string, int>>{{"FloatStorage", 2},
                                                                            {"HalfStorage", 4},
                                                                            {"BFloat16Storage", 4},
                                                                            {"DoubleStorage", 1},
                                                                            {"IntStorage", 2},
                                                                            {"LongStorage", 1}}) {
    TensorPickle t;
    t.storage_type = p_global("torch", type);
    t.numel = p_int(numel);
    t.offset = p_int(numel - 1);
    t.shape = p_tuple({1, 1});
    t.strides = p_tuple({77, 99});  // of sizes 1: mean nothing
    body += p_text(type) + t.text();
  }
  TensorPickle empty;
  empty.numel = p_int(2);
  empty.shape = p_tuple({0, 5});
  empty.strides = p_tuple({9, 9});
  TensorPickle scalar;
  scalar.numel = p_int(2);
  scalar.shape = scalar.strides = ")";
  entries[0].data =
      pickle_file(body + p_text("empty") + empty.text() + p_text("scalar") + scalar.text() + "u");
  const std::string file = archive_of(zip_file(entries));
  const NemoArchive archive = parse(file);
  EXPECT_EQ(archive.weights->tensors().size(), 8u);
  EXPECT_EQ(tensor_to_f32(*archive.weights->find("FloatStorage")), std::vector<float>{2});
  EXPECT_EQ(archive.weights->find("LongStorage")->dtype, DType::kI64);
  EXPECT_EQ(archive.weights->find("HalfStorage")->bytes.size(), 2u);
  EXPECT_TRUE(archive.weights->find("empty")->bytes.empty());
  EXPECT_EQ(tensor_to_f32(*archive.weights->find("scalar")), std::vector<float>{1});
}

TEST(Nemo, what_is_written_is_read_back) {
  std::vector<TensorToWrite> tensors;
  std::vector<std::vector<float>> values;
  std::vector<std::string> names;
  for (int i = 0; i < 2500;
       ++i) {  // more than two batches of the pickle, memo indices of all kinds
    values.emplace_back(static_cast<size_t>(i % 7), static_cast<float>(i));
    names.push_back(concat("layer.", 2500 - i, ".weight"));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    tensors.push_back(
        {names[i], DType::kF32, {1, values[i].size()}, std::as_bytes(std::span(values[i]))});
  }
  const std::vector<int32_t> levels = {9, 8, 8, 7};
  tensors.push_back({"levels", DType::kI32, {1, 4, 1}, std::as_bytes(std::span(levels))});
  const std::vector<float> big(70'000, 0.5f);
  tensors.push_back({"big", DType::kF32, {7, 10, 10, 10, 10}, std::as_bytes(std::span(big))});
  const std::vector<uint16_t> halves = {0x3C00, 0xC000, 0x0001};
  tensors.push_back({"half", DType::kF16, {3}, std::as_bytes(std::span(halves))});
  const std::vector<float> one = {-1.5f};
  tensors.push_back({"scalar", DType::kF32, {}, std::as_bytes(std::span(one))});

  const test::TemporaryFolder folder;
  write_nemo(folder / "x.nemo", kConfig, tensors);
  const NemoArchive archive = open_nemo(folder / "x.nemo");
  EXPECT_EQ(archive.config_yaml, kConfig);
  ASSERT_EQ(archive.weights->tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& tensor = archive.weights->tensors()[i];
    EXPECT_EQ(tensor.name, tensors[i].name);
    EXPECT_EQ(tensor.dtype, tensors[i].dtype);
    EXPECT_EQ(tensor.shape, tensors[i].shape);
    EXPECT_EQ(text_of(tensor.bytes), text_of(tensors[i].bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % 64, 0u) << tensor.name;
    archive.weights->release(tensor);
  }
  EXPECT_EQ(fs::file_size(folder / "x.nemo") % 10'240, 0u);
  write_nemo(folder / "y.nemo", kConfig, tensors);
  EXPECT_EQ(read_file(folder / "x.nemo", 1 << 26), read_file(folder / "y.nemo", 1 << 26));
}

TEST(Nemo, what_could_not_be_read_back_is_not_written) {
  const test::TemporaryFolder folder;
  const std::vector<float> one = {1};
  const std::span<const std::byte> bytes = std::as_bytes(std::span(one));
  const auto refused = [&](std::string_view config, const std::vector<TensorToWrite>& tensors) {
    try {
      write_nemo(folder / "x.nemo", config, tensors);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument;
    }
    return false;
  };
  EXPECT_TRUE(refused(kConfig, {{"a", DType::kF32, {1}, bytes}, {"a", DType::kF32, {1}, bytes}}));
  EXPECT_TRUE(refused(kConfig, {{"a", DType::kF32, {2}, bytes}}));
  EXPECT_TRUE(refused(kConfig, {{"a", DType::kBF16, {2}, bytes}}));
  EXPECT_TRUE(refused(kConfig, {{"a", DType::kF32, {0, 1 << 16, 1 << 16}, {}}}));
  EXPECT_TRUE(refused("\xFF", {}));
  EXPECT_TRUE(refused({"a\0b", 3}, {}));
  EXPECT_TRUE(refused(std::string((1 << 20) + 1, '#'), {}));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Nemo, missing_file_is_not_found) {
  try {
    open_nemo("/nowhere/x.nemo");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

// Sums over all tensors, computed by PyTorch 2.15 from torch.load(…, weights_only=True) of the same
// files.
double sum_of(const NemoArchive& archive) {
  double sum = 0;
  for (const TensorInfo& tensor : archive.weights->tensors()) {
    const std::vector<float> values = tensor_to_f32(tensor);
    sum += std::accumulate(values.begin(), values.end(), 0.0);
  }
  return sum;
}

TEST(Nemo, archives_written_by_nemo_are_read) {
  const fs::path folder = fs::path(KANI_TEST_DATA) / "codec";
  const NemoArchive plain = open_nemo(folder / "nano06.nemo");
  EXPECT_TRUE(plain.config_yaml.starts_with("sample_rate: 22050\n"));
  EXPECT_EQ(plain.weights->tensors().size(), 699u);
  EXPECT_EQ(plain.weights->tensors().front().name, "audio_encoder.pre_conv.conv.bias");
  EXPECT_EQ(tensor_to_f32(*plain.weights->find("vector_quantizer.fsqs.0.num_levels")),
            (std::vector<float>{9, 8, 8, 7}));
  EXPECT_EQ(plain.weights->find("audio_decoder.pre_conv.conv.weight_v")->shape,
            (std::vector<uint64_t>{96, 16, 7}));
  EXPECT_NEAR(sum_of(plain), 6529.388403309037, 1e-6);

  const NemoArchive packed = open_nemo(folder / "nano189.nemo");
  EXPECT_EQ(packed.weights->tensors().size(), 707u);
  EXPECT_NEAR(sum_of(packed), 8647.173368020522, 1e-6);

  const NemoArchive decoder = open_nemo(folder / "nano06.nemo", [](std::string_view name) {
    return name.starts_with("audio_decoder.");
  });
  EXPECT_EQ(decoder.weights->tensors().size(), 387u);
}

TEST(Nemo, the_codec_that_comes_with_the_engine_is_read) {
  const fs::path path = fs::path(KANI_TEST_DATA) / "../../models/kani-mini/codec.nemo";
  if (!fs::exists(path)) GTEST_SKIP() << "SKIPPED: models/kani-mini is not here";
  const NemoArchive archive = open_nemo(path);
  EXPECT_EQ(archive.weights->tensors().size(), 196u);
}

}  // namespace
}  // namespace kani
