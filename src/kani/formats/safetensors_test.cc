// safetensors_test.cc - good files, and the "safetensors" list of reliability.md 6 with its
// numbers.
#include "kani/formats/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/bytes.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::expect_refused;
using test::safetensors_file;

std::unique_ptr<TensorFile> parse(std::string_view file) {
  return parse_safetensors(bytes_of(file), "t.safetensors");
}

// One tensor "a" whose entry is `entry`, over `data_bytes` bytes.
std::string one(std::string_view entry, size_t data_bytes) {
  return safetensors_file("{\"a\":" + std::string(entry) + "}", std::string(data_bytes, 'x'));
}

std::string entry(std::string_view shape, std::string_view offsets,
                  std::string_view dtype = "F32") {
  return concat("{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
}

std::string two(std::string_view offsets_a, std::string_view offsets_b, size_t data_bytes,
                std::string_view shape = "[2]") {
  return safetensors_file(
      concat("{\"a\":", entry(shape, offsets_a), ",\"b\":", entry(shape, offsets_b), "}"),
      std::string(data_bytes, 'x'));
}

std::vector<std::byte> floats(const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

struct Hostile {
  std::string_view item;  // number in the list, and what
  std::string file;
  std::string_view reason;
};

TEST(Safetensors, hostile_files_are_refused_with_their_reason) {
  const std::string good = one(entry("[2]", "[0,8]"), 8);
  const std::string zip = test::zip_file({{.name = "a/data.pkl", .data = "x"}});
  const auto length = [](uint64_t n) { return test::little(n) + "{\"a\":1}"; };
  const std::vector<Hostile> table = {
      {"1 empty", "", "0 bytes"},
      {"2 seven bytes", "\x10\0\0\0\0\0\0", "bytes, at least 10"},
      {"3 header length 0", safetensors_file("", "abcd"), "no \"{\" at offset 8"},
      {"4 header longer than the file", length(1000), "header of 1000 bytes at offset 8"},
      {"5 length 2^63", length(uint64_t{1} << 63), "at most 100000000"},
      {"5 length 2^64-1", length(~uint64_t{0}), "at most 100000000"},
      {"6 length over the limit", length(100'000'001), "at most 100000000"},
      {"7 not JSON", safetensors_file("{\"a\":nonsense}"), "not JSON at offset 14"},
      {"7 cut JSON", safetensors_file("{\"a\":}"), "not JSON at offset"},
      {"7 two documents", safetensors_file("{}{}"), "not JSON at offset"},
      {"8 not an object", safetensors_file("[1]"), "no \"{\""},
      {"9 invalid UTF-8", safetensors_file("{\"a\xFF\":1}"), "not JSON at offset"},
      {"9 lone surrogate", safetensors_file("{\"\\ud800\":1}"), "not JSON at offset"},
      {"10 padded with newlines", safetensors_file("{}\n\n"), "does not end in \"}\""},
      {"10 padded with NUL", safetensors_file(std::string("{}\0\0", 4)), "does not end in \"}\""},
      {"10 spaces in front", safetensors_file("  {}"), "no \"{\""},
      {"11 trailing bytes", one(entry("[2]", "[0,8]"), 9), "1 bytes behind the last tensor"},
      {"11 data without tensors", safetensors_file("{}", "abc"), "3 bytes behind"},
      {"12 hole", two("[0,8]", "[12,20]", 20), "leaving a hole"},
      {"12 hole in front", one(entry("[2]", "[4,12]"), 12), "leaving a hole"},
      {"13 overlap", two("[0,8]", "[4,12]", 12), "inside its neighbour"},
      {"13 same range", two("[0,8]", "[0,8]", 8), "inside its neighbour"},
      {"14 begin > end", one(entry("[2]", "[8,0]"), 8), "8 > 0"},
      {"15 end past the buffer", one(entry("[2]", "[0,8]"), 7), "end at 8, the file has 7"},
      {"15 huge end", one(entry("[2]", "[0,18446744073709551615]"), 8), "the file has 8"},
      {"16 shape x size != range", one(entry("[3]", "[0,8]"), 8), "needs 12 bytes"},
      {"16 dtype of another size", one(entry("[2]", "[0,8]", "F16"), 8), "needs 4 bytes"},
      {"17 product overflows", one(entry("[4294967296,4294967296,4]", "[0,8]"), 8), "overflows"},
      {"17 bytes overflow", one(entry("[4611686018427387904]", "[0,0]"), 0), "overflows"},
      {"17 overflow behind a zero", one(entry("[0,4294967296,4294967296,4]", "[0,0]"), 0),
       "overflows"},
      {"19 negative", one(entry("[-2]", "[0,8]"), 8), "the number -2"},
      {"19 float", one(entry("[2.0]", "[0,8]"), 8), "the number 2.0"},
      {"19 string", one(entry("[\"2\"]", "[0,8]"), 8), "a string"},
      {"19 2^64", one(entry("[18446744073709551616]", "[0,8]"), 8), "the number 184467"},
      {"19 null", one(entry("[null]", "[0,8]"), 8), "null"},
      {"19 truth value", one(entry("[true]", "[0,8]"), 8), "a truth value"},
      {"19 shape is a number", one(entry("2", "[0,8]"), 8), "the number 2 where its shape"},
      {"19 offset negative", one(entry("[2]", "[-1,7]"), 8), "the number -1"},
      {"19 shape is a string", one(entry("\"2\"", "[0,8]"), 8), "a string where its shape"},
      {"19 offsets are a number", one(entry("[2]", "8"), 8), "where its data_offsets"},
      {"20 dtype is a list", one("{\"dtype\":[1],\"shape\":[2],\"data_offsets\":[0,8]}", 8),
       "an array where its dtype"},
      {"19 three offsets", one(entry("[2]", "[0,4,8]"), 8), "more than two"},
      {"19 one offset", one(entry("[2]", "[0]"), 8), "two numbers"},
      {"20 unknown dtype", one(entry("[2]", "[0,8]", "Q4_0"), 8), "dtype \"Q4_0\""},
      {"20 dtype is a number", one("{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}", 8),
       "dtype"},
      {"22 name twice",
       safetensors_file(
           concat("{\"a\":", entry("[1]", "[0,4]"), ",\"a\":", entry("[1]", "[4,8]"), "}"),
           "12345678"),
       "\"a\" occurs twice"},
      {"22 key twice in an entry",
       one("{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", 8),
       "\"dtype\" occurs twice"},
      {"22 key missing", one("{\"dtype\":\"F32\",\"shape\":[2]}", 8), "must all be there"},
      {"22 unknown key",
       one("{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"order\":\"F\"}", 8),
       "unknown key \"order\""},
      {"23 metadata not text", safetensors_file("{\"__metadata__\":{\"k\":1}}"),
       "must be a string"},
      {"23 metadata nested", safetensors_file("{\"__metadata__\":{\"k\":{}}}"), "an object"},
      {"23 metadata a list", safetensors_file("{\"__metadata__\":[]}"), "an array"},
      {"23 metadata twice", safetensors_file("{\"__metadata__\":{},\"__metadata__\":{}}"),
       "__metadata__ occurs twice"},
      {"23 metadata key twice", safetensors_file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"),
       "occurs twice"},
      {"25 nested arrays", one(std::string(100'000, '['), 0), "an array"},
      {"25 nested objects", safetensors_file("{\"a\":{\"dtype\":{\"x\":1}}}"), "an object"},
      {"26 empty name", safetensors_file(concat("{\"\":", entry("[2]", "[0,8]"), "}"), "12345678"),
       "is empty"},
      {"26 name of 1 MB",
       safetensors_file(concat("{\"", std::string(1 << 20, 'n'), "\":", entry("[2]", "[0,8]"), "}"),
                        "12345678"),
       "longer than 1024"},
      {"26 name with NUL",
       safetensors_file(concat("{\"a\\u0000b\":", entry("[2]", "[0,8]"), "}"), "12345678"),
       "control character"},
      {"26 name with DEL",
       safetensors_file(concat("{\"a\x7f\":", entry("[2]", "[0,8]"), "}"), "12345678"),
       "control character"},
      {"26 name with a parent folder",
       safetensors_file(concat("{\"a/../b\":", entry("[2]", "[0,8]"), "}"), "12345678"),
       "\"..\" part"},
      {"28 also a ZIP",
       one(entry("[" + std::to_string(zip.size()) + "]", "[0," + std::to_string(zip.size()) + "]",
                 "U8"),
           0) +
           zip,
       "also a ZIP"},
      {"cut in the header", good.substr(0, 20), "header of"},
      {"cut in the data", good.substr(0, good.size() - 1), "the file has 7 bytes"},
  };
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    expect_refused([&] { parse(h.file); }, "t.safetensors", h.reason);
  }
}

TEST(Safetensors, rank_is_limited) {  // 21
  std::string shape = "[1";
  for (int i = 1; i < 10'000; ++i) shape += ",1";
  expect_refused([&] { parse(one(entry(shape + "]", "[0,4]"), 4)); }, "t.safetensors",
                 "more than 16 dimensions");
}

TEST(Safetensors, what_the_list_calls_legal_is_read) {
  EXPECT_TRUE(parse(safetensors_file("{}"))->tensors().empty());
  EXPECT_EQ(parse(safetensors_file("{}      "))->tensors().size(), 0u);  // 10
  const std::string empty = one(entry("[3,0,5]", "[0,0]"), 0);           // 18
  EXPECT_TRUE(parse(empty)->find("a")->bytes.empty());
  EXPECT_EQ(parse(empty)->find("a")->elements(), 0u);
  const std::string scalar = one(entry("[]", "[0,4]"), 4);
  EXPECT_EQ(parse(scalar)->find("a")->elements(), 1u);
  // Offsets in any order of keys and entries; "tensors" come in the file's order.
  const std::string backwards = two("[8,16]", "[0,8]", 16);
  EXPECT_EQ(parse(backwards)->tensors().front().name, "b");
}

TEST(Safetensors, misaligned_tensors_are_read) {  // 27
  const std::string file = safetensors_file(
      concat("{\"a\":", entry("[1]", "[0,1]", "U8"), ",\"b\":", entry("[2]", "[1,9]"), "} "),
      std::string("\x07") + test::little(1065353216u) + test::little(3221225472u));
  const auto parsed = parse(file);
  EXPECT_EQ(tensor_to_f32(*parsed->find("b")), (std::vector<float>{1, -2}));
  parsed->release(*parsed->find("b"));  // nothing is mapped: does nothing
  EXPECT_EQ(tensor_to_f32(*parsed->find("a")), std::vector<float>{7});
}

TEST(Safetensors,
     odd_numbers_come_through_unchanged) {  // 30: whether they are welcome is the model's business
  const float odd[] = {std::nanf(""), std::numeric_limits<float>::infinity(), -0.0f, 1e-42f};
  const std::string data(reinterpret_cast<const char*>(odd), sizeof(odd));
  const std::string file = safetensors_file(concat("{\"a\":", entry("[4]", "[0,16]"), "}"), data);
  const auto parsed = parse(file);
  EXPECT_EQ(text_of(parsed->find("a")->bytes), data);
}

TEST(Safetensors, a_hundred_thousand_tensors_are_found_by_name) {  // 24
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i) {
    header += concat(i == 0 ? "" : ",", "\"model.layers.", i,
                     ".weight\":", entry("[1]", concat("[", i, ",", i + 1, "]"), "U8"));
  }
  const std::string file = safetensors_file(header + "}", std::string(100'000, 'x'));
  const auto parsed = parse(file);
  ASSERT_EQ(parsed->tensors().size(), 100'000u);
  EXPECT_EQ(parsed->find("model.layers.77777.weight"), &parsed->tensors()[77777]);
  EXPECT_EQ(parsed->find("model.layers.100000.weight"), nullptr);
}

TEST(Safetensors, every_cut_of_a_file_is_refused) {
  const std::string file = two("[0,8]", "[8,16]", 16);
  for (size_t length = 0; length < file.size(); ++length) {
    expect_refused([&] { parse(file.substr(0, length)); }, "t.safetensors", "");
  }
}

class SafetensorsFiles : public testing::Test {
 protected:
  fs::path put(std::string_view name, std::string_view content) {
    write_file(folder_ / name, content);
    return folder_ / name;
  }
  // A shard with F32 [1] tensors of these names.
  fs::path put_shard(std::string_view name, const std::vector<std::string>& tensors) {
    const std::vector<std::byte> bytes = floats({1.5f});
    std::vector<TensorToWrite> list;
    for (const std::string& tensor : tensors) list.push_back({tensor, DType::kF32, {1}, bytes});
    write_safetensors(folder_ / name, list);
    return folder_ / name;
  }
  fs::path put_index(const Json& index) {
    return put("model.safetensors.index.json", dump_json(index));
  }
  test::TemporaryFolder folder_;
};

TEST_F(SafetensorsFiles, what_is_written_is_read_back) {
  const std::vector<std::byte> a = floats({1, 2, 3, 4, 5, 6});
  const std::vector<std::byte> b(3, std::byte{7});
  const fs::path path = folder_ / "x.safetensors";
  write_safetensors(path,
                    std::vector<TensorToWrite>{{"z.first", DType::kF32, {2, 3}, a},
                                               {"empty", DType::kBF16, {0, 4}, {}},
                                               {"ümlaut \"quoted\"", DType::kU8, {3}, b}},
                    {{"format", "pt"}, {"note", "a \"b\"\n"}});
  const auto file = open_safetensors(path);
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->tensors()[0].name, "z.first");
  EXPECT_EQ(file->tensors()[0].shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(tensor_to_f32(file->tensors()[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file->find("empty")->dtype, DType::kBF16);
  EXPECT_EQ(file->find("ümlaut \"quoted\"")->bytes.size(), 3u);
  EXPECT_EQ(file->find("z"), nullptr);
  EXPECT_EQ(file->metadata().at("note"), "a \"b\"\n");
  EXPECT_EQ(file->path(), path);
  const auto address = reinterpret_cast<uintptr_t>(file->tensors()[0].bytes.data());
  EXPECT_EQ(address % 64, 0u);
  file->release(file->tensors()[0]);
  EXPECT_EQ(tensor_to_f32(file->tensors()[0])[5], 6);
}

TEST_F(SafetensorsFiles, what_could_not_be_read_back_is_not_written) {
  const std::vector<std::byte> bytes = floats({1});
  const fs::path path = folder_ / "x.safetensors";
  const auto code = [&](const TensorToWrite& tensor, size_t times = 1) {
    try {
      write_safetensors(path, std::vector<TensorToWrite>(times, tensor));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code({"a", DType::kF32, {1}, bytes}, 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"a", DType::kF32, {2}, bytes}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"a", DType::kF16, {1}, bytes}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"", DType::kF32, {1}, bytes}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"\xFF", DType::kF32, {1}, bytes}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"__metadata__", DType::kF32, {1}, bytes}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"a", DType::kF32, std::vector<uint64_t>(17, 1), bytes}),
            ErrorCode::kInvalidArgument);
  EXPECT_THROW(write_safetensors(path, {}, {{"k", "\xFF"}}), Error);
  EXPECT_THROW(write_safetensors(path, {}, {{"\xFF", "v"}}), Error);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(SafetensorsFiles, file_that_is_no_regular_file_is_refused) {  // 34
  const fs::path pipe = folder_ / "pipe.safetensors";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_refused([&] { open_safetensors(pipe); }, "pipe", "not a regular file");
  expect_refused([&] { open_safetensors("/dev/null"); }, "/dev/null", "not a regular file");
  EXPECT_THROW(open_safetensors(folder_ / "none.safetensors"), Error);
}

TEST_F(SafetensorsFiles,
       symbolic_link_to_a_model_is_followed) {  // 34; the hub's cache is made of them
  put_shard("blob", {"a"});
  fs::create_symlink("blob", folder_ / "model.safetensors");
  EXPECT_NE(open_safetensors(folder_.path())->find("a"), nullptr);
}

TEST_F(SafetensorsFiles, folder_is_opened_by_its_single_file_or_its_index) {
  try {
    open_safetensors(folder_.path());
    ADD_FAILURE() << "an empty folder was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
  put_shard("s1.safetensors", {"a", "c"});
  put_shard("s2.safetensors", {"b"});
  const fs::path index =
      put_index({{"metadata", {{"total_size", 12}}},
                 {"weight_map",
                  {{"a", "s1.safetensors"}, {"b", "s2.safetensors"}, {"c", "s1.safetensors"}}}});
  for (const fs::path& path : {folder_.path(), index}) {
    const auto file = open_safetensors(path);
    EXPECT_EQ(file->tensors().size(), 3u);
    EXPECT_EQ(tensor_to_f32(*file->find("b")), std::vector<float>{1.5f});
    for (const TensorInfo& tensor : file->tensors()) file->release(tensor);
    EXPECT_EQ(tensor_to_f32(*file->find("a")), std::vector<float>{1.5f});
  }
  put_shard("model.safetensors", {"single"});
  EXPECT_NE(open_safetensors(folder_.path())->find("single"), nullptr);
}

TEST_F(SafetensorsFiles, hostile_indexes_are_refused_with_their_reason) {  // 33
  put_shard("s1.safetensors", {"a", "b"});
  put_shard("s2.safetensors", {"b"});
  put("bad.safetensors", "nonsense");
  const auto map = [](Json weight_map) {
    return dump_json(Json{{"weight_map", std::move(weight_map)}});
  };
  const std::vector<Hostile> table = {
      {"parent folder", map({{"a", "../s1.safetensors"}}), "\"..\" part"},
      {"two dots", map({{"a", ".."}}), "\"..\" part"},
      {"folder", map({{"a", "x/s1.safetensors"}}), "names a folder"},
      {"dot folder", map({{"a", "./s1.safetensors"}}), "\".\""},
      {"absolute", map({{"a", "/etc/passwd"}}), "is absolute"},
      {"backslash", map({{"a", "..\\s1"}}), "backslash"},
      {"NUL", map({{"a", std::string("s1\0x", 4)}}), "control character"},
      {"empty", map({{"a", ""}}), "is empty"},
      {"long", map({{"a", std::string(300, 's')}}), "longer than 255"},
      {"missing", map({{"a", "s3.safetensors"}}), "is missing"},
      {"tensor in two shards", map({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}}),
       "does not place there"},
      {"tensor not in its shard",
       map({{"a", "s1.safetensors"}, {"b", "s1.safetensors"}, {"c", "s2.safetensors"}}),
       "is not in its shard"},
      {"tensor twice", R"({"weight_map":{"a":"s1.safetensors","a":"s2.safetensors"}})",
       "duplicate"},
      {"total_size wrong",
       R"({"metadata":{"total_size":9},"weight_map":{"a":"s1.safetensors","b":"s1.safetensors"}})",
       "total_size is 9"},
      {"total_size negative",
       R"({"metadata":{"total_size":-8},"weight_map":{"b":"s2.safetensors"}})", "total_size"},
      {"metadata is a list", R"({"metadata":[],"weight_map":{"b":"s2.safetensors"}})", "metadata"},
      {"shard is a number", R"({"weight_map":{"a":1}})", "not a string"},
      {"no weight_map", R"({"metadata":{}})", "weight_map"},
      {"empty weight_map", R"({"weight_map":{}})", "weight_map"},
      {"weight_map is a list", R"({"weight_map":[]})", "weight_map"},
      {"not an object", "[]", "not an object"},
      {"tensor name", R"({"weight_map":{"":"s1.safetensors"}})", "is empty"},
      {"nested", "{\"weight_map\":" + std::string(100, '['), "nested deeper"},
      {"not JSON", "{", "JSON"},
  };
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    const fs::path index = put("x.index.json", h.file);
    expect_refused([&] { open_safetensors(index); }, "x.index.json", h.reason);
  }
  const fs::path index = put("x.index.json", map({{"a", "bad.safetensors"}}));
  expect_refused([&] { open_safetensors(index); }, "bad.safetensors", "not a safetensors file");
}

TEST_F(SafetensorsFiles, index_without_total_size_is_read) {
  put_shard("s1.safetensors", {"a"});
  const fs::path index = put_index(
      {{"metadata", {{"total_parameters", 1}}}, {"weight_map", {{"a", "s1.safetensors"}}}});
  EXPECT_NE(open_safetensors(index)->find("a"), nullptr);
}

TEST_F(SafetensorsFiles, shard_that_is_no_file_is_refused) {
  ASSERT_EQ(mkfifo((folder_ / "s1.safetensors").c_str(), 0600), 0);
  const fs::path index = put_index({{"weight_map", {{"a", "s1.safetensors"}}}});
  expect_refused([&] { open_safetensors(index); }, "s1.safetensors", "not a regular file");
}

TEST_F(SafetensorsFiles, index_with_too_many_shards_is_refused) {
  Json map = Json::object();
  for (int i = 0; i < 5000; ++i) map[concat("t", i)] = concat("s", i);
  const fs::path index = put_index({{"weight_map", map}});
  expect_refused([&] { open_safetensors(index); }, "index.json", "more than 4096 shards");
}

TEST(Safetensors, real_files_are_read) {
  const fs::path golden = fs::path(KANI_TEST_DATA) / "codec" / "nano189_encode.safetensors";
  const auto file = open_safetensors(golden);
  EXPECT_EQ(file->find("speech.tokens")->dtype, DType::kI32);
  EXPECT_EQ(file->find("speech.tokens")->shape.size(), 3u);
}

TEST(Safetensors, the_model_that_comes_with_the_engine_is_read) {
  const fs::path model = fs::path(KANI_TEST_DATA) / "../../models/kani-mini/lm";
  if (!fs::exists(model)) GTEST_SKIP() << "SKIPPED: models/kani-mini is not here";
  const auto lm = open_safetensors(model);
  EXPECT_EQ(lm->find("model.embed_tokens.weight")->shape, (std::vector<uint64_t>{16538, 192}));
  EXPECT_EQ(lm->find("model.embed_tokens.weight")->dtype, DType::kBF16);
}

}  // namespace
}  // namespace kani
