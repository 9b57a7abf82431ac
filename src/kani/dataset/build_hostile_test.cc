// D3 (reliability.md 5.7): files of the list "WAV, FLAC, MP3, Ogg" of section 6 as recordings of a
// build.  None ends it; each is a clip or has a reason; what cannot be a clip is never one.
// Parquet and Arrow: arrow_hostile_test.cc.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>

#include "kani/dataset/test_build.h"
#include "kani/dataset/test_sounds.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::chunk;
using test::little;

class D3 : public testing::Test {
 protected:
  /// `must_fail`: there is no sound in it that could be trained on.
  void file(const std::string& name, const std::string& bytes, bool must_fail = true) {
    folder_.folder().write(name, bytes);
    folder_.line(name, "Good morning.");
    if (must_fail) bad_.insert(name);
  }
  /// The rejects, after a build of everything.
  std::map<std::string, std::string> build() {
    folder_.good(1);
    BuildOptions options = folder_.options("out");
    options.assembly.selection.allowed_errors = {"set"};
    options.assembly.selection.split.valid_share = 0;
    EXPECT_EQ(build_set(options, nullptr, {}).end, BuildEnd::kFinished);
    const fs::path out = folder_.folder() / "out";
    const auto rejects = test::rejects_of(out);
    size_t clips = 0;
    std::ifstream in(out / "clips.jsonl");
    for (std::string line; std::getline(in, line);) ++clips;
    EXPECT_EQ(clips + rejects.size(), folder_.records());
    for (const std::string& name : bad_) EXPECT_TRUE(rejects.contains(name)) << name;
    return rejects;
  }
  std::string encoded(const std::string& name) {
    folder_.sound(name, sound_);
    return read_file(folder_.folder() / name, 1 << 24);
  }

  const std::vector<float> sound_ = babble(1, 16000, 5);
  const std::string data_ = test::samples16(sound_);
  test::BuildFolder folder_;
  std::set<std::string> bad_;
};

TEST_F(D3, wav_files_that_lie) {
  const std::string good = test::wav({}, data_), format = test::format_chunk({});
  file("1_empty.wav", "");
  file("2_text.wav", "not a sound");
  for (const char* kind :
       {"FORM\0\0\0\x40"
        "AIFF",
        "caff\0\1\0\0", ".snd\0\0\0\x18", "PK\3\4", "\x1A\x45\xDF\xA3", "#!AMR\n"})
    file(concat("3_other", bad_.size(), ".wav"), std::string(kind, 4) + std::string(300, 'x'));
  const auto sized = [&](uint32_t size) {
    std::string bytes = good;
    return bytes.replace(4, 4, little(size));
  };
  for (const uint32_t size : {0U, 0xFFFFFFFFU, 7U, 20U, 99999U})
    file(concat("4_size", size, ".wav"), sized(size), /*must_fail=*/false);
  file("5_no_format.wav", test::riff(chunk("data", data_)));
  file("5_late_format.wav", test::riff(chunk("data", data_) + format));
  file("5_two_formats.wav", test::riff(format + format + chunk("data", data_)), false);
  const std::string extensible = chunk(
      "fmt ", little(uint16_t{0xFFFE}) + little(uint16_t{1}) + little(16000U) + little(32000U) +
                  little(uint16_t{2}) + little(uint16_t{16}) + little(uint16_t{22}) +
                  little(uint16_t{16}) + little(uint32_t{4}) + std::string(16, '\x5A'));
  file("5_odd_guid.wav", test::riff(extensible + chunk("data", data_)));
  file("6_no_channels.wav", test::wav({.channels = 0}, data_));
  file("6_channels.wav", test::wav({.channels = 1024}, data_));
  for (const uint32_t rate : {0U, 1U, 1'000'000'000U})
    file(concat("6_rate", rate, ".wav"), test::wav({.rate = rate}, data_));
  for (const uint16_t bits : {uint16_t{0}, uint16_t{7}, uint16_t{65}})
    file(concat("6_bits", bits, ".wav"), test::wav({.bits = bits}, data_), bits != 7);
  file("6_align.wav", test::wav({.align = 9}, data_), false);
  file("7_no_data.wav", test::riff(format));
  file("7_nothing.wav", test::wav({}, ""));
  file("8_adpcm.wav", test::wav({.kind = 2, .bits = 4}, data_), false);
  file("8_alaw.wav", test::wav({.kind = 6, .bits = 8}, data_), false);
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F}) {
    std::string floats;
    for (size_t i = 0; i < 16000; ++i) floats += little(i % 50 == 7 ? value : sound_[i]);
    file(concat("8_float", bad_.size(), ".wav"), test::wav({.kind = 3, .bits = 32}, floats));
  }
  std::string doubles;
  for (size_t i = 0; i < 16000; ++i) doubles += little(i % 50 == 7 ? 1e300 : double{sound_[i]});
  file("8_double.wav", test::wav({.kind = 3, .bits = 64}, doubles));
  file("9_rifx.wav", test::riff(format + chunk("data", data_), "RIFX"));
  file("9_rf64.wav", test::riff(format + chunk("data", data_), "RF64"), false);
  file("9_chunk.wav", test::riff("bext" + little(uint32_t{1} << 30) + format));
  file("14_silence.wav", test::wav({}, std::string(64000, '\0')));
  file("14_millisecond.wav", test::wav({}, data_.substr(0, 32)));
  const std::vector<float> constant(16000, 0.9F);
  file("14_constant.wav", test::wav({}, test::samples16(constant)));
  build();
}

TEST_F(D3, ten_hours_of_nothing_are_not_read_into_memory) {
  const std::string head = test::wav({.rate = 8000, .bits = 8}, "");
  std::string large = head;
  large.replace(large.size() - 4, 4, little(uint32_t{36000U * 8000U}));
  large.replace(4, 4, little(uint32_t{36000U * 8000U + 36U}));
  file("long.wav", large);
  fs::resize_file(folder_.folder() / "long.wav", large.size() + 36000ULL * 8000ULL);
  EXPECT_EQ(build()["long.wav"], "too_long");
}

TEST_F(D3, names_that_are_no_files) {
  ASSERT_EQ(mkfifo((folder_.folder() / "pipe.wav").c_str(), 0600), 0);
  fs::create_symlink("loop.wav", folder_.folder() / "loop.wav");
  fs::create_symlink("/dev/zero", folder_.folder() / "zero.wav");
  for (const char* name :
       {"pipe.wav", "loop.wav", "zero.wav", "../../../nothing.wav", "\xFF.wav"}) {
    folder_.line(name, "Good morning.");
    if (name[0] != '\xFF') bad_.insert(name);
  }
  build();
}

TEST_F(D3, files_cut_anywhere) {
  const std::string wav = test::wav({}, data_);
  for (size_t size = 0; size < 60; ++size) file(concat("cut", size, ".wav"), wav.substr(0, size));
  for (const char* name : {"whole.flac", "whole.mp3", "whole.ogg", "whole.opus"}) {
    const std::string whole = encoded(name);
    const size_t end = std::min<size_t>(whole.size(), 4096);
    for (size_t size = 0; size < end; size = size < 64 ? size + 3 : size + 101)
      file(concat("cut", size, fs::path(name).extension().string()), whole.substr(0, size),
           size < 40);
  }
  build();
}

TEST_F(D3, compressed_files_with_changed_bytes) {
  for (const char* name : {"whole.flac", "whole.mp3", "whole.ogg", "whole.opus"}) {
    const std::string whole = encoded(name);
    const std::string ending = fs::path(name).extension().string();
    for (size_t at = 0; at < whole.size(); at += at < 200 ? 5 : whole.size() / 12) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 0xFF);
      file(concat("changed", at, ending), changed, /*must_fail=*/false);
    }
    // Garbage in the middle, two files as one, a long tag in front.
    file("middle" + ending,
         whole.substr(0, whole.size() / 2) + std::string(3000, '\x55') +
             whole.substr(whole.size() / 2),
         false);
    file("twice" + ending, whole + whole, false);
    file("tag" + ending, "ID3\x04" + std::string(2, '\0') + "\x00\x7F\x7F\x7F\x7F" + whole, false);
  }
  build();
}

TEST_F(D3, flac_headers_that_lie) {
  const std::string whole = encoded("whole.flac");
  ASSERT_EQ(whole.substr(0, 4), "fLaC");
  const auto changed = [&](size_t at, const std::string& bytes) {
    std::string out = whole;
    return out.replace(at, bytes.size(), bytes);
  };
  // STREAMINFO lies at byte 8: block sizes, frame sizes, 20 bits of rate, channels, total samples.
  file("block0.flac", changed(8, std::string(4, '\0')), false);
  file("total.flac", changed(21, std::string("\x0F\xFF\xFF\xFF\xFF", 5)), false);
  file("rate0.flac", changed(18, std::string(2, '\0')), false);
  file("large_metadata.flac", changed(5, std::string(3, '\xFF')));
  std::string picture = whole.substr(0, 4) + whole.substr(4, 38);
  picture[4] = '\0';
  picture += std::string("\x06\xFF\xFF\xFF", 4) + std::string(500, 'p');
  file("picture.flac", picture);
  build();
}

}  // namespace
}  // namespace kani
