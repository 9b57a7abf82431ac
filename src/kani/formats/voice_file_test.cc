// voice_file_test.cc - the four kinds of voice file: upstream's and PyTorch's own .pt files
// (pt.json tells what they hold), and the voice items of the "torch ZIP / pickle" list of
// reliability.md 6 with their numbers.
#include "kani/formats/voice_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::expect_refused;
using test::p_global;
using test::p_int;
using test::p_text;
using test::p_tuple;
using test::pickle_file;
using test::pt_file;
using test::TensorPickle;
using test::zip_file;
using test::ZipEntry;

const fs::path kSpeaker = fs::path(KANI_TEST_DATA) / "speaker";

VoiceFile parse(std::string_view file) { return parse_voice(bytes_of(file), "t.voice"); }

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// 1, 2, … count
std::vector<float> ramp(size_t count, float first = 1) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

Json golden() { return parse_json(read_file(kSpeaker / "pt.json", 1 << 20), "pt.json"); }

std::vector<float> values_of(const Json& entry) {
  std::vector<float> values;
  for (const Json& value : entry["values"])
    values.push_back(static_cast<float>(value.get<double>()));
  return values;
}

TEST(VoiceFile, real_voices_and_all_that_torch_writes_load_exactly) {
  const Json all = golden();
  for (const char* group : {"voices", "accept"}) {
    for (const Json& entry : all[group]) {
      SCOPED_TRACE(entry["file"].get<std::string>());
      const VoiceFile voice = read_voice_file(kSpeaker / entry["file"].get<std::string>());
      EXPECT_EQ(voice.values, values_of(entry));
      EXPECT_EQ(voice.format, "pt");
    }
  }
}

TEST(VoiceFile, what_may_be_read_either_way_is_read_right_or_refused) {
  const Json all = golden();  // outlives the loop
  for (const Json& entry : all["either"]) {
    const auto file = entry["file"].get<std::string>();
    SCOPED_TRACE(file);
    if (file == "pt/either/protocol_4.pt") {
      expect_refused([&] { read_voice_file(kSpeaker / file); }, file, "protocol 2");
    } else {
      EXPECT_EQ(read_voice_file(kSpeaker / file).values, values_of(entry));
    }
  }
}

TEST(VoiceFile, broken_and_hostile_voices_are_refused) {
  const Json all = golden();  // outlives the loop
  for (const Json& entry : all["reject"]) {
    const auto file = entry["file"].get<std::string>();
    SCOPED_TRACE(file);
    if (file == "pt/reject/shape_127.pt") {
      // A sound vector of another length: it is the caller who knows the model's, and refuses it.
      EXPECT_EQ(read_voice_file(kSpeaker / file).values.size(), 127u);
    } else {
      expect_refused([&] { read_voice_file(kSpeaker / file); }, file, "");
    }
  }
  EXPECT_FALSE(fs::exists("KANI_PT_CANARY"));
}

// A reader built from the specification refuses every damaged file, or reads the same 128 values.
TEST(VoiceFile, any_flipped_bit_is_refused_or_harmless) {
  const std::string good = read_file(kSpeaker / "pt/voices/john_en.pt", 1 << 20);
  const std::vector<float> expected = parse(good).values;
  size_t harmless = 0;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    try {
      ASSERT_EQ(parse(flipped).values, expected) << "bit " << bit;
      ++harmless;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBadInput) << "bit " << bit;
    }
  }
  EXPECT_GT(harmless, 0u);  // padding, times, versions
  EXPECT_LT(harmless, good.size() * 8 / 2);
}

TEST(VoiceFile, any_cut_is_refused) {
  const std::string good = read_file(kSpeaker / "pt/voices/john_en.pt", 1 << 20);
  for (size_t length = 0; length < good.size(); ++length) {
    expect_refused([&] { parse(std::string_view(good).substr(0, length)); }, "t.voice", "");
  }
}

struct Hostile {
  std::string_view item;  // number in the list, and what
  std::string file;
  std::string_view reason;
};

void expect_all_refused(const std::vector<Hostile>& table) {
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    expect_refused([&] { parse(h.file); }, "t.voice", h.reason);
  }
}

std::string voice(void (*change)(TensorPickle&), const std::string& storage = raw(ramp(128))) {
  TensorPickle pickle;
  change(pickle);
  return pt_file(pickle_file(pickle.text()), storage);
}

TEST(VoiceFile, hostile_pt_files_are_refused_with_their_reason) {
  const std::string data = raw(ramp(128));
  const std::string pickle = pickle_file(TensorPickle{}.text());
  const std::string good = pt_file(pickle, data);
  const auto entries = [&](std::vector<ZipEntry> more) {
    std::vector<ZipEntry> all = {{.name = "v/data.pkl", .data = pickle},
                                 {.name = "v/data/0", .data = data}};
    all.insert(all.end(), more.begin(), more.end());
    return zip_file(all);
  };
  std::vector<float> odd = ramp(128);
  odd[77] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> infinite = ramp(128);
  infinite[0] = -std::numeric_limits<float>::infinity();
  const auto dictionary = [](int keys) {
    std::string body = "}(";
    for (int i = 0; i < keys; ++i) body += p_text(std::to_string(i)) + p_int(i % 7);
    return pickle_file(body + "u");
  };
  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "}";
  expect_all_refused({
      {"1 legacy pickle", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
       "bare pickle"},
      {"2 compressed member", entries({{.name = "v/version", .data = "3", .method = 8}}),
       "is compressed"},
      {"5 CRC of a member that is not used",
       entries({{.name = "v/version", .data = "3", .crc = 1}}), "\"v/version\" is damaged"},
      {"other member", entries({{.name = "v/code.py", .data = "import os"}}), "does not belong"},
      {"storage of no tensor", entries({{.name = "v/data/1", .data = "x"}}), "does not belong"},
      {"17 members",
       [&] {
         std::vector<ZipEntry> more;
         for (int i = 1; i < 16; ++i) more.push_back({.name = concat("v/data/", i), .data = "x"});
         return entries(more);
       }(),
       "17 ZIP members"},
      {"7 pickle of 5 kB", pt_file("\x80\x02" + std::string(5000, 'N') + ".", data),
       "at most 4096"},
      {"7 file over 1 MiB", good + std::string(1 << 20, ' '), "at most 1048576"},
      {"8 BUILD", pt_file(pickle_file(TensorPickle{}.text() + "}b"), data), "opcode 98"},
      {"9 other storage",
       voice([](TensorPickle& t) { t.storage_type = p_global("torch", "LongStorage"); }),
       "accepted names"},
      {"15 storage shorter than it says", voice([](TensorPickle&) {}, data.substr(4)),
       "storage of 128 F32 has 508 bytes"},
      {"16 offset", voice([](TensorPickle& t) { t.offset = p_int(1); }), "leave the storage"},
      {"17 stride 0", voice([](TensorPickle& t) { t.strides = p_tuple({0}); }), "stride 0"},
      {"18 128 x 2^31", voice([](TensorPickle& t) {
         t.shape = p_tuple({128, 2147483647});
         t.strides = p_tuple({0, 0});
       }),
       "is not that of one vector"},
      {"19 big-endian", pt_file(pickle, data, "big"), "byte order"},
      {"21 dictionary with 20 keys", pt_file(dictionary(20), data), "20 entries"},
      {"21 dictionary with 100 keys", pt_file(dictionary(100), data), "more than 64 items"},
      {"21 dictionary with 10,000 keys", pt_file(dictionary(10'000), data), "at most 4096"},
      {"22 NaN", voice([](TensorPickle&) {}, raw(odd)), "number 77 of the vector is not finite"},
      {"22 infinity", voice([](TensorPickle&) {}, raw(infinite)), "number 0 of the vector"},
      {"26 nested dictionaries", pt_file(pickle_file(nested), data), "more than 64 items"},
      {"two vectors", voice([](TensorPickle& t) {
         t.shape = p_tuple({2, 64});
         t.strides = p_tuple({64, 1});
       }),
       "shape [2, 64]"},
      {"four dimensions", voice([](TensorPickle& t) {
         t.shape = p_tuple({1, 1, 1, 128});
         t.strides = p_tuple({1, 1, 1, 1});
       }),
       "shape [1, 1, 1, 128]"},
      {"no numbers", voice([](TensorPickle& t) { t.shape = p_tuple({0}); }), "shape [0]"},
      {"a scalar", voice([](TensorPickle& t) { t.shape = t.strides = ")"; }), "shape []"},
      {"4097 numbers",
       voice(
           [](TensorPickle& t) {
             t.numel = p_int(4097);
             t.shape = p_tuple({4097});
           },
           raw(ramp(4097))),
       "1 to 4096"},
      {"all zero", voice([](TensorPickle&) {}, raw(std::vector<float>(128))), "no voice"},
      {"empty list", zip_file({{.name = "v/data.pkl", .data = pickle_file("]")}}), "no tensor"},
      {"list of numbers", zip_file({{.name = "v/data.pkl", .data = pickle_file("](K\1K\2e")}}),
       "else than tensors"},
      {"dictionary of two",
       pt_file(pickle_file("}(" + p_text("a") + TensorPickle{}.text() + p_text("b") +
                           TensorPickle{}.text() + "u"),
               data),
       "2 tensors, must be one"},
      {"empty dictionary", zip_file({{.name = "v/data.pkl", .data = pickle_file("}")}}),
       "no tensor"},
      {"list of two lengths",
       pt_file(pickle_file("](" + TensorPickle{}.text() +
                           TensorPickle{.shape = p_tuple({64})}.text() + "e"),
               data),
       "vectors of 128 and of 64"},
  });
}

TEST(VoiceFile, refusals_tell_what_to_do) {
  for (const std::string& file :
       {std::string("\x80\x02\x8a\x0a\x6c\xfc.", 7),
        pt_file(pickle_file(p_global("numpy.core.multiarray", "_reconstruct")), "")}) {
    try {
      parse(file);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_NE(error.hint().find("torch.save"), std::string::npos);
    }
  }
}

TEST(VoiceFile, list_of_voices_is_their_mean) {
  std::vector<float> both = ramp(128);
  const std::vector<float> second = ramp(128, -4);
  both.insert(both.end(), second.begin(), second.end());
  TensorPickle a{.numel = p_int(256)};
  TensorPickle b{.numel = p_int(256), .offset = p_int(128)};
  const VoiceFile mean = parse(pt_file(pickle_file("](" + a.text() + b.text() + "e"), raw(both)));
  EXPECT_EQ(mean.values, ramp(128, -1.5f));
}

TEST(VoiceFile, views_of_a_larger_storage_are_read) {  // 25
  const std::string storage = raw(ramp(300));
  const VoiceFile view = parse(voice(
      [](TensorPickle& t) {
        t.numel = p_int(300);
        t.offset = p_int(10);
        t.shape = p_tuple({1, 128});
        t.strides = p_tuple({999, 2});
      },
      storage));
  EXPECT_EQ(view.values.front(), 11);
  EXPECT_EQ(view.values.back(), 11 + 2 * 127);
  EXPECT_EQ(view.stored_shape, (std::vector<uint64_t>{1, 128}));
}

TEST(VoiceFile, voices_of_another_length_are_read) {  // 23; the caller compares
  const VoiceFile other = parse(voice(
      [](TensorPickle& t) {
        t.numel = p_int(192);
        t.shape = p_tuple({192});
      },
      raw(ramp(192))));
  EXPECT_EQ(other.values, ramp(192));
}

TEST(VoiceFile, own_form_is_written_and_read) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors";
  write_voice(path, VoiceFormat::kSafetensors, ramp(128),
              {{"name", "Ida"}, {"format", "something else"}});
  const VoiceFile voice = read_voice_file(path);
  EXPECT_EQ(voice.values, ramp(128));
  EXPECT_EQ(voice.stored_shape, std::vector<uint64_t>{128});
  EXPECT_EQ(voice.format, "safetensors");
  EXPECT_EQ(voice.metadata.at("name"), "Ida");
  EXPECT_EQ(voice.metadata.at("format"), "kani-voice-1");
  EXPECT_THROW(write_voice(path, VoiceFormat::kSafetensors, {}, {}), Error);
  EXPECT_THROW(write_voice(path, VoiceFormat::kSafetensors, ramp(4097), {}), Error);
  EXPECT_THROW(write_voice(path, VoiceFormat::kSafetensors, std::vector<float>{std::nanf("")}, {}),
               Error);
  EXPECT_THROW(write_voice(path, VoiceFormat::kSafetensors, std::vector<float>(128), {}), Error);
  EXPECT_EQ(read_voice_file(path).values, ramp(128));
}

std::string safetensors_voice(std::string_view name, std::string_view dtype, std::string_view shape,
                              const std::string& data) {
  return test::safetensors_file(concat("{\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":",
                                       shape, ",\"data_offsets\":[0,", data.size(), "]}}"),
                                data);
}

TEST(VoiceFile, safetensors_voices_of_other_types_and_hostile_ones) {
  const std::vector<double> wide = {1.5, -2};
  EXPECT_EQ(parse(safetensors_voice("speaker_emb", "F64", "[1,2]", raw(wide))).values,
            (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(parse(safetensors_voice("speaker_emb", "BF16", "[2]", std::string("\x80\x3f\0\xc0", 4)))
                .values,
            (std::vector<float>{1, -2}));
  EXPECT_EQ(parse(safetensors_voice("speaker_emb", "F16", "[1]", std::string("\0\x3c", 2))).values,
            std::vector<float>{1});
  const std::string two = raw(ramp(2));
  expect_all_refused({
      {"two tensors",
       test::safetensors_file(
           "{\"speaker_emb\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
           "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
           two),
       "no other"},
      {"other name", safetensors_voice("emb", "F32", "[2]", two), "\"speaker_emb\""},
      {"other type", safetensors_voice("speaker_emb", "I32", "[2]", two), "is I32"},
      {"other shape", safetensors_voice("speaker_emb", "F32", "[2,1]", two), "shape [2, 1]"},
      {"empty", safetensors_voice("speaker_emb", "F32", "[0]", ""), "shape [0]"},
      {"overflow in float32",
       safetensors_voice("speaker_emb", "F64", "[2]", raw(std::vector<double>{1, 1e300})),
       "number 1"},
      {"no tensor", test::safetensors_file("{}"), "\"speaker_emb\""},
      {"damaged", safetensors_voice("speaker_emb", "F32", "[2]", two) + "x",
       "behind the last tensor"},
  });
}

std::string npy(std::string_view dictionary, const std::string& data,
                std::string_view version = {"\1\0", 2}) {
  const std::string text = std::string(dictionary) + "   \n";
  const bool small = version[0] == 1;
  return "\x93NUMPY" + std::string(version) + test::little(text.size(), small ? 2 : 4) + text +
         data;
}

TEST(VoiceFile, npy_files_are_read) {
  const std::string shape = "'fortran_order': False, 'shape': (4,), }";
  EXPECT_EQ(parse(npy("{'descr': '<f4', " + shape, raw(ramp(4)))).values, ramp(4));
  EXPECT_EQ(parse(npy("{'descr': '<f8', " + shape, raw(std::vector<double>{1, 2, 3, 4}))).values,
            ramp(4));
  EXPECT_EQ(parse(npy("{'descr': '<f2', " + shape,
                      raw(std::vector<uint16_t>{0x3C00, 0x4000, 0x4200, 0x4400})))
                .values,
            ramp(4));
  const VoiceFile row = parse(npy("{\"shape\":(1,4),\"fortran_order\":False,\"descr\":\"<f4\"}",
                                  raw(ramp(4)), {"\2\0", 2}));
  EXPECT_EQ(row.values, ramp(4));
  EXPECT_EQ(row.stored_shape, (std::vector<uint64_t>{1, 4}));
  EXPECT_EQ(row.format, "npy");
  EXPECT_EQ(parse(npy("{'descr': '<f4', " + shape, raw(ramp(4)), {"\3\0", 2})).values, ramp(4));
}

TEST(VoiceFile, hostile_npy_files_are_refused) {  // 27
  const std::string data = raw(ramp(4));
  const auto header = [&](std::string_view descr, std::string_view order = "False",
                          std::string_view shape = "(4,)") {
    return npy(
        concat("{'descr': ", descr, ", 'fortran_order': ", order, ", 'shape': ", shape, ", }"),
        data);
  };
  const std::string good = header("'<f4'");
  expect_all_refused({
      {"27 object type", header("'|O'"), "type \"|O\""},
      {"27 big-endian", header("'>f4'"), "type \">f4\""},
      {"27 integers", header("'<i4'"), "type \"<i4\""},
      {"27 record type", header("[('a', '<f4')]"), "a quoted type"},
      {"27 expression", header("__import__('os').system('x')"), "a quoted type"},
      {"27 expression in the shape", header("'<f4'", "False", "(2+2,)"), "\")\" is due"},
      {"27 Fortran order", header("'<f4'", "True"), "Fortran order"},
      {"27 Fortran order of another kind", header("'<f4'", "0"), "True or False"},
      {"27 header of 1 GB", "\x93NUMPY" + std::string("\2\0", 2) + test::little(1u << 30) + "{}",
       "1073741824"},
      {"27 header of 60 kB",
       "\x93NUMPY" + std::string("\1\0", 2) + test::little(uint16_t{60'000}) +
           std::string(60'000, ' '),
       "at most 4096"},
      {"27 version 4", npy("{}", data, {"\4\0", 2}), "version 4.0"},
      {"27 version 1.1", npy("{}", data, {"\1\1", 2}), "version 1.1"},
      {"mark alone", "\x93NUMPY", ".npy file of 6 bytes"},
      {"key missing", npy("{'descr': '<f4', 'fortran_order': False}", data), "lacks one of"},
      {"key twice", npy("{'descr': '<f4', 'descr': '<f4'}", data), "occurs twice"},
      {"order twice", npy("{'fortran_order': False, 'fortran_order': False}", data),
       "occurs twice"},
      {"shape twice", npy("{'shape': (4,), 'shape': (4,)}", data), "occurs twice"},
      {"order missing", npy("{'descr': '<f4', 'shape': (4,)}", data), "lacks one of"},
      {"key without quotes", npy("{descr: '<f4'}", data), "a quoted name"},
      {"nothing behind a brace", npy("{", data), "a quoted name"},
      {"size with a letter", header("'<f4'", "False", "(4L,)"), "\")\" is due"},
      {"unknown key", npy("{'strides': 1}", data), "\"strides\" is unknown"},
      {"no dictionary", npy("[]", data), "\"{\" is due"},
      {"text behind", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} x", data),
       "its end"},
      {"quote not closed", npy("{'descr", data), "a quoted name"},
      {"empty dictionary text", npy("", data), "\"{\" is due"},
      {"matrix", header("'<f4'", "False", "(2, 2)"), "shape [2, 2]"},
      {"scalar", header("'<f4'", "False", "()"), "shape []"},
      {"huge", header("'<f4'", "False", "(9999999999999,)"), "at most 9 digits"},
      {"4097 numbers", header("'<f4'", "False", "(4097,)"), "1 to 4096"},
      {"negative", header("'<f4'", "False", "(-4,)"), "a size is due"},
      {"data too short", good.substr(0, good.size() - 1), "needs 16 bytes, the file has 15"},
      {"data too long", good + "x", "the file has 17"},
  });
  for (size_t length = 0; length < good.size(); ++length) {
    expect_refused([&] { parse(good.substr(0, length)); }, "t.voice", "");
  }
}

TEST(VoiceFile, json_voices_are_read) {
  const VoiceFile voice =
      parse(R"(  {"embedding": [1, 2.0, 3e0, 4], "name": "Ida", "norm": 1, "tags": ["x"]})");
  EXPECT_EQ(voice.values, ramp(4));
  EXPECT_EQ(voice.format, "json");
  EXPECT_EQ(voice.stored_shape, std::vector<uint64_t>{4});
  EXPECT_EQ(voice.metadata, (std::map<std::string, std::string>{{"name", "Ida"}}));
}

TEST(VoiceFile, hostile_json_voices_are_refused) {
  std::string many = "{\"embedding\":[1";
  for (int i = 1; i < 4097; ++i) many += ",1";
  expect_all_refused({
      {"a bare list", "[1,2,3]", "expected {\"embedding\""},
      {"another key", "{\"values\":[1]}", "expected {\"embedding\""},
      {"a number", "{\"embedding\":1}", "expected {\"embedding\""},
      {"empty", "{\"embedding\":[]}", "shape [0]"},
      {"rows", "{\"embedding\":[[1,2]]}", "else than numbers"},
      {"text", "{\"embedding\":[\"1\"]}", "else than numbers"},
      {"null", "{\"embedding\":[null]}", "else than numbers"},
      {"NaN", "{\"embedding\":[NaN]}", "JSON"},
      {"too large for double", "{\"embedding\":[1e999]}", "JSON"},
      {"too large for float", "{\"embedding\":[1e39]}", "not finite"},
      {"4097 numbers", many + "]}", "1 to 4096"},
      {"twice", "{\"embedding\":[1],\"embedding\":[2]}", "duplicate key"},
      {"deep", "{\"embedding\":" + std::string(1000, '['), "nested deeper"},
      {"zeros", "{\"embedding\":[0,0,-0.0]}", "no voice"},
  });
}

TEST(VoiceFile, other_files_are_refused) {
  expect_all_refused({
      {"empty", "", "begins like none of"},
      {"text", "hello", "begins like none of"},
      {"no pickle of any protocol", "\x80\x06.", "begins like none of"},
      {"nor this", "\x80\xff.", "begins like none of"},
      {"blanks", "   \n", "begins like none of"},
      {"sound", std::string("RIFF\0\0\0\0WAVEfmt ", 16), "begins like none of"},
      {"NumPy archive", zip_file({{.name = "emb.npy", .data = "x"}}), "not a torch file"},
  });
  const test::TemporaryFolder folder;
  write_file(folder / "large.pt", std::string((1 << 20) + 1, 'x'));
  expect_refused([&] { read_voice_file(folder / "large.pt"); }, "large.pt", "at most 1048576");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_refused([&] { read_voice_file(folder / "pipe"); }, "pipe", "not a regular file");
  try {
    read_voice_file(folder / "none.pt");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace kani
