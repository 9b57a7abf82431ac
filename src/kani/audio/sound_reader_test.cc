// The list "WAV, FLAC, MP3, Ogg" of reliability.md 6, as far as it concerns decoding.
#include "kani/audio/sound_reader.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <functional>
#include <limits>

#include "kani/audio/level.h"
#include "kani/audio/ogg_page.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;

constexpr const char* kNoSound = "bad_input: x: neither WAV, FLAC, MP3, Ogg Vorbis nor Ogg Opus";

struct Wav {
  int encoding = 1;  // PCM
  int channels = 1;
  uint64_t rate_hz = 22050;
  int bits = 16;
  std::string data;
  uint64_t data_size = UINT64_MAX;  // what the header says; the truth if absent
};

Bytes wav_file(const Wav& wav) {
  Bytes file = to_bytes("RIFF");
  const auto frame = static_cast<uint64_t>(wav.channels * wav.bits / 8);
  append_le(file, 36 + wav.data.size(), 4);
  append_text(file, "WAVEfmt ");
  append_le(file, 16, 4);
  append_le(file, static_cast<uint64_t>(wav.encoding), 2);
  append_le(file, static_cast<uint64_t>(wav.channels), 2);
  append_le(file, wav.rate_hz, 4);
  append_le(file, wav.rate_hz * frame, 4);
  append_le(file, frame, 2);
  append_le(file, static_cast<uint64_t>(wav.bits), 2);
  append_text(file, "data");
  append_le(file, wav.data_size == UINT64_MAX ? wav.data.size() : wav.data_size, 4);
  append_text(file, wav.data);
  return file;
}

template <typename T>
std::string raw(std::initializer_list<T> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(T)};
}

std::string refusal(std::span<const std::byte> file, const SoundLimits& limits = {}) {
  return error_of([&] { read_sound(file, "x", limits); });
}

TEST(SoundReader, says_what_to_do_with_aac) {
  const std::string end(200, 'x');
  EXPECT_EQ(refusal(to_bytes("\0\0\0\x18"s + "ftypM4A " + end)),
            "bad_input: x: MP4 (.m4a, .mp4) has no decoder here; convert it to FLAC or WAV");
  for (const char* start : {"\xFF\xF1\x50\x80", "\xFF\xF9\x50\x80"})
    EXPECT_EQ(refusal(to_bytes(start + end)),
              "bad_input: x: AAC has no decoder here; convert it to FLAC or WAV");
}

TEST(SoundReader, tells_formats_apart_by_content) {
  const std::vector<float> sound = tone(4000, 440, 22050);
  const auto kind = [&](SoundFormat format) {
    const Bytes file = encoded(sound, {.format = format});
    return SoundReader(file, "x").kind();
  };
  EXPECT_EQ(kind(SoundFormat::kWav), SoundKind::kWav);
  EXPECT_EQ(kind(SoundFormat::kFlac), SoundKind::kFlac);
  EXPECT_EQ(kind(SoundFormat::kMp3), SoundKind::kMp3);
  EXPECT_EQ(kind(SoundFormat::kOpus), SoundKind::kOpus);
  EXPECT_EQ(kind(SoundFormat::kOgg), SoundKind::kVorbis);
}

TEST(SoundReader, reads_a_file_in_blocks) {
  const TemporaryFolder folder;
  const std::vector<float> sound = tone(10000, 440, 22050);
  const auto writer = open_sound_file(folder / "misleading.mp3", {.format = SoundFormat::kFlac});
  writer->write(sound);
  writer->finish();
  SoundReader reader(folder / "misleading.mp3");
  EXPECT_EQ(reader.rate_hz(), 22050);
  EXPECT_EQ(reader.channels(), 1);
  std::vector<float> first(3);
  std::vector<float> rest(20000);
  EXPECT_EQ(reader.read(first), 3U);
  EXPECT_EQ(reader.read(rest), 9997U);
  EXPECT_EQ(reader.read(rest), 0U);
  for (size_t i = 0; i < 9997; ++i) ASSERT_NEAR(rest[i], sound[i + 3], 0.51 / 32768);
}

TEST(SoundReader, channels_are_averaged) {
  const Sound sound = read_sound(
      wav_file({.channels = 2, .data = raw<int16_t>({100, 300, -32768, -32768, 1, 0})}), "x");
  EXPECT_EQ(sound.channels, 2);
  EXPECT_EQ(sound.samples, (std::vector<float>{200.0F / 32768, -1.0F, 0.5F / 32768}));
}

TEST(SoundReader, all_plain_encodings_of_wav_are_read) {
  const auto samples = [](const Wav& wav) { return read_sound(wav_file(wav), "x").samples; };
  const std::vector<float> half{0.5F, -0.5F};
  EXPECT_EQ(samples({.bits = 8, .data = raw<uint8_t>({192, 64})}), half);
  EXPECT_EQ(samples({.bits = 16, .data = raw<int16_t>({16384, -16384})}), half);
  EXPECT_EQ(samples({.bits = 24, .data = raw<uint8_t>({0, 0, 0x40, 0, 0, 0xC0})}), half);
  EXPECT_EQ(samples({.bits = 32, .data = raw<int32_t>({1 << 30, -(1 << 30)})}), half);
  EXPECT_EQ(samples({.encoding = 3, .bits = 32, .data = raw<float>({0.5F, -0.5F})}), half);
  EXPECT_EQ(samples({.encoding = 3, .bits = 64, .data = raw<double>({0.5, -0.5})}), half);
  EXPECT_EQ(samples({.encoding = 3, .bits = 32, .data = raw<float>({2.5F})})[0], 2.5F);
  EXPECT_EQ(samples({.encoding = 6, .bits = 8, .data = raw<uint8_t>({0xD5, 0x55})}).size(), 2U);
  EXPECT_EQ(samples({.encoding = 7, .bits = 8, .data = raw<uint8_t>({0xFF, 0x7F})}).size(), 2U);
}

TEST(SoundReader, a_wav_without_samples_is_empty_and_no_error) {
  EXPECT_TRUE(read_sound(wav_file({}), "x").samples.empty());
}

TEST(SoundReader, a_missing_file_is_not_found_and_a_folder_is_refused) {
  const TemporaryFolder folder;
  EXPECT_TRUE(error_of([&] { read_sound(folder / "none.wav"); }).starts_with("not_found: "));
  EXPECT_TRUE(error_of([&] { read_sound(folder.path()); }).starts_with("bad_input: "));
}

TEST(SoundReader, other_formats_are_refused_before_a_parser_sees_them) {
  const std::string rest(4000, '\1');
  for (const std::string& head :
       {""s, "x"s, "hello, this is text and no sound at all"s, "FORM\0\0\1\0AIFFCOMM"s,
        ".snd\0\0\0\x20\0\0\0\0"s, "RF64\xFF\xFF\xFF\xFFWAVE"s, "RIFX\0\0\1\0WAVEfmt "s,
        "riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB"s, "caff\0\1\0\0desc"s, "RIFF\0\0\1\0AVI LIST"s,
        "NIST_1A\n   1024\n"s, "Creative Voice File\x1A"s,
        "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\1\x42\xF7\x81"s,  // WebM
        "ID3\4\0\0\0\0\0\0FORM\0\0\1\0AIFF"s,               // hidden behind a tag
        "ID3\4\0\0\x7F\x7F\x7F\x7F"s,                       // a tag longer than the file
        "\xFF\xFD\x90\0"s}) {                               // layer II
    EXPECT_EQ(refusal(to_bytes(head + rest)), kNoSound) << printable(head);
  }
}

TEST(SoundReader, other_codecs_in_ogg_are_refused_before_a_parser_sees_them) {
  for (const char* codec : {"Speex   ",
                            "\x7F"
                            "FLAC\1\0\0",
                            "PCM     "}) {
    Bytes file = encoded(tone(4000, 440, 22050), {.format = SoundFormat::kOpus});
    const auto page = std::span(file).first(ogg_page_size(file));
    std::memcpy(page.data() + ogg_page_body(page), codec, 8);
    ogg_page_seal(page, ogg_page_serial(page));
    EXPECT_EQ(refusal(file), kNoSound) << codec;
  }
}

TEST(SoundReader, ogg_whose_first_page_is_damaged_is_refused) {
  // A decoder would skip that page and take what comes behind it for the beginning.
  const std::vector<float> sound = tone(4000, 440, 22050);
  Bytes file = encoded(sound, {.format = SoundFormat::kOpus});
  const Bytes hidden = encoded(sound, {.format = SoundFormat::kOgg});
  file[40] ^= std::byte{1};  // behind the name of the codec
  file.insert(file.end(), hidden.begin(), hidden.end());
  EXPECT_EQ(refusal(file), kNoSound);
}

TEST(SoundReader, a_tag_in_front_of_flac_is_skipped) {
  const std::vector<float> sound = tone(4000, 440, 22050);
  const std::string file = to_string(encoded(sound, {.format = SoundFormat::kFlac}));
  EXPECT_EQ(read_sound(to_bytes("ID3\4\0\0\0\0\0\4abcd"s + file), "x").samples.size(), 4000U);
}

TEST(SoundReader, encodings_beyond_the_list_are_refused_by_name) {
  const TemporaryFolder folder;
  const fs::path path = folder / "adpcm.wav";
  SF_INFO info{};
  info.samplerate = 22050;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  const std::vector<float> sound = tone(4000, 440, 22050);
  sf_write_float(file, sound.data(), 4000);
  sf_close(file);
  EXPECT_EQ(error_of([&] { read_sound(path); }),
            concat("bad_input: ", path,
                   ": encoded as IMA ADPCM, expected PCM, float, FLAC, MP3, "
                   "Vorbis or Opus"));
}

TEST(SoundReader, channels_and_rates_have_limits) {
  const std::string data(4096, '\0');
  EXPECT_EQ(refusal(wav_file({.channels = 9, .data = data})),
            "bad_input: x: 9 channels, must be 1 to 8");
  EXPECT_EQ(refusal(wav_file({.rate_hz = 4000, .data = data})),
            "bad_input: x: sample rate is 4000 Hz, must be 8000 to 192000");
  EXPECT_EQ(refusal(wav_file({.rate_hz = 1000000, .data = data})),
            "bad_input: x: sample rate is 1000000 Hz, must be 8000 to 192000");
}

TEST(SoundReader, nonsense_in_wav_headers_is_refused) {
  const std::string data(64, '\0');
  for (const Wav& wav : {Wav{.channels = 0, .data = data}, Wav{.channels = 1025, .data = data},
                         Wav{.rate_hz = 0, .data = data}, Wav{.bits = 0, .data = data},
                         Wav{.bits = 65, .data = data}, Wav{.encoding = 0x1234, .data = data}}) {
    EXPECT_TRUE(refusal(wav_file(wav)).starts_with("bad_input: x: "))
        << wav.channels << " " << wav.rate_hz << " " << wav.bits;
  }
  const Bytes whole = wav_file({.data = data});
  const std::string text = to_string(whole);
  EXPECT_TRUE(refusal(to_bytes(text.substr(0, 12) + text.substr(36))).starts_with("bad_input: x: "))
      << "no format";
  EXPECT_TRUE(refusal(to_bytes(text.substr(0, 36))).starts_with("bad_input: x: ")) << "no data";
}

TEST(SoundReader, sizes_that_lie_change_nothing_but_the_length) {
  const std::string data(2000, '\0');
  for (const uint64_t size : {uint64_t{0xFFFFFFFF}, uint64_t{3000}, uint64_t{0x7FFFFFFF}}) {
    EXPECT_EQ(read_sound(wav_file({.data = data, .data_size = size}), "x").samples.size(), 1000U)
        << size;
  }
  EXPECT_EQ(read_sound(wav_file({.data = data, .data_size = 1001}), "x").samples.size(), 500U);
}

TEST(SoundReader, samples_that_are_no_numbers_are_refused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(refusal(wav_file({.encoding = 3, .bits = 32, .data = raw<float>({0, 0, nan, 0})})),
            "bad_input: x: sample 2 is not a finite number");
  EXPECT_EQ(refusal(wav_file({.encoding = 3, .bits = 32, .data = raw<float>({-infinity, 0})})),
            "bad_input: x: sample 0 is not a finite number");
  EXPECT_EQ(refusal(wav_file({.encoding = 3, .bits = 64, .data = raw<double>({0, 1e300})})),
            "bad_input: x: sample 1 is not a finite number");
}

TEST(SoundReader, seconds_are_counted_while_decoding) {
  const std::vector<float> silence(8000 * 3);
  for (const char* name : {"wav", "flac", "mp3", "opus", "ogg"}) {
    const Bytes file = encoded(
        silence,
        {.format = *sound_format_from_name(name), .input_rate_hz = 8000, .output_rate_hz = 8000});
    EXPECT_EQ(refusal(file, {.max_seconds = 2.5}), "bad_input: x: longer than 2.5 s") << name;
    EXPECT_EQ(refusal(file, {.max_seconds = 3.5}), "") << name;
  }
}

TEST(SoundReader, a_flac_that_lies_about_its_length_is_still_counted) {
  const std::vector<float> silence(22050 * 3);
  Bytes file = encoded(silence, {.format = SoundFormat::kFlac});
  file[24] = file[25] = std::byte{1};
  file[23] = file[22] = std::byte{0};  // 257 samples
  const std::string answer = refusal(file, {.max_seconds = 2});
  EXPECT_TRUE(answer.empty() || answer == "bad_input: x: longer than 2 s") << answer;
  EXPECT_LE(read_sound(file, "x", {.max_seconds = 4}).samples.size(), silence.size());
}

TEST(SoundReader, a_changing_rate_in_mp3_is_refused) {
  const std::vector<float> sound = tone(22050, 440, 22050);
  std::string file = to_string(streamed(sound, {.format = SoundFormat::kMp3}));
  file += to_string(streamed(sound, {.format = SoundFormat::kMp3, .output_rate_hz = 48000}));
  EXPECT_TRUE(refusal(to_bytes(file)).starts_with("bad_input: x: cannot be decoded behind sample "))
      << refusal(to_bytes(file));
}

// Cut anywhere in its first 4 kB, a file is refused or gives fewer, finite samples.
TEST(SoundReader, cut_files_are_refused_or_shorter) {
  const std::vector<float> sound = tone(12000, 440, 22050);
  for (const char* name : {"wav", "flac", "mp3", "opus", "ogg"}) {
    const Bytes file = encoded(sound, {.format = *sound_format_from_name(name)});
    const size_t whole = read_sound(file, name).samples.size();
    for (size_t size = 0; size < std::min<size_t>(4096, file.size() - 1); ++size) {
      const auto cut = std::span(file).first(size);
      size_t samples = 0;
      const std::string error = error_of([&] { samples = read_sound(cut, "x").samples.size(); });
      ASSERT_TRUE(error.empty() || error.starts_with("bad_input: x: ")) << name << ": " << error;
      ASSERT_LE(samples, whole) << name << " cut to " << size;
    }
  }
}

// One byte changed anywhere: no crash, nothing but kani::Error, nothing that is not finite.
TEST(SoundReader, damaged_files_are_refused_or_finite) {
  const std::vector<float> sound = tone(6000, 440, 22050);
  for (const char* name : {"wav", "flac", "mp3", "opus", "ogg"}) {
    const Bytes file = encoded(sound, {.format = *sound_format_from_name(name)});
    for (size_t at = 0; at < file.size(); at += 7) {
      Bytes damaged = file;
      damaged[at] ^= std::byte{0x5A};
      const std::string error = refusal(damaged, {.max_seconds = 10});
      ASSERT_TRUE(error.empty() || error.starts_with("bad_input: x: ")) << name << ": " << error;
    }
  }
}

}  // namespace
}  // namespace kani
