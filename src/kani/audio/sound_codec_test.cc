// What the compressed formats hold when they are read back, and when their bytes come.
#include <gtest/gtest.h>

#include <algorithm>

#include "kani/audio/encoder.h"
#include "kani/audio/level.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

const std::vector<float>& speech() {
  static const std::vector<float> sound =
      read_sound(std::filesystem::path(KANI_TEST_DATA "/audio/speech_22k.flac")).samples;
  return sound;
}

// How well `sound`, `shift` samples later, follows speech(): 1 is the same up to loudness.
double likeness(std::span<const float> sound, size_t shift) {
  double dot = 0;
  double one = 0;
  double two = 0;
  for (size_t i = 0; i < speech().size() && i + shift < sound.size(); ++i) {
    const auto a = static_cast<double>(speech()[i]);
    const auto b = static_cast<double>(sound[i + shift]);
    dot += a * b;
    one += a * a;
    two += b * b;
  }
  return dot / std::sqrt(one * two + 1e-30);
}

// The longest stretch of pushed sound, in ms, after which there were still no new bytes.
double longest_wait_ms(SoundFormat format) {
  constexpr size_t kPiece = 441;  // 20 ms
  size_t pushed = 0;
  size_t last = 0;
  size_t longest = 0;
  const auto writer = open_sound_stream(
      [&](std::span<const std::byte>) {
        longest = std::max(longest, pushed - last);
        last = pushed;
      },
      {.format = format});
  for (size_t i = 0; i + kPiece <= speech().size(); i += kPiece) {
    pushed += kPiece;
    writer->write(std::span(speech()).subspan(i, kPiece));
  }
  longest = std::max(longest, pushed - last);
  return static_cast<double>(longest) / 22.05;
}

TEST(SoundCodec, flac_gives_the_samples_back_unchanged) {
  const Bytes whole = encoded(speech(), {.format = SoundFormat::kFlac});
  EXPECT_EQ(read_sound(whole, "flac").samples, speech());
  EXPECT_EQ(read_sound(streamed(speech(), {.format = SoundFormat::kFlac}), "flac").samples,
            speech());
}

TEST(SoundCodec, flac_tells_its_length_in_whole_files_only) {
  const auto total = [](const Bytes& file) {  // 36 bits behind rate, channels and depth
    return uint64_t{static_cast<uint8_t>(file[21]) & 0xFU} << 32 |
           uint64_t{static_cast<uint8_t>(file[22])} << 24 |
           uint64_t{static_cast<uint8_t>(file[23])} << 16 |
           uint64_t{static_cast<uint8_t>(file[24])} << 8 | uint64_t{static_cast<uint8_t>(file[25])};
  };
  EXPECT_EQ(total(encoded(speech(), {.format = SoundFormat::kFlac})), speech().size());
  EXPECT_EQ(total(streamed(speech(), {.format = SoundFormat::kFlac})), 0U);
}

TEST(SoundCodec, mp3_in_whole_files_has_exactly_the_samples_of_the_input) {
  const Sound read = read_sound(encoded(speech(), {.format = SoundFormat::kMp3}), "mp3");
  EXPECT_EQ(read.rate_hz, 22050);
  EXPECT_EQ(read.samples.size(), speech().size());
  EXPECT_GT(likeness(read.samples, 0), 0.99);
}

TEST(SoundCodec, streamed_mp3_begins_with_a_frame_of_sound) {
  const Bytes file = streamed(speech(), {.format = SoundFormat::kMp3, .title = "T"});
  EXPECT_EQ(static_cast<int>(file[0]), 0xFF);
  EXPECT_EQ(static_cast<int>(file[1]), 0xF3);        // MPEG 2 layer III without checksum
  EXPECT_EQ(static_cast<int>(file[2]) >> 4, 8);      // 64 kbit/s
  EXPECT_EQ(static_cast<int>(file[2]) >> 2 & 3, 0);  // 22,050 Hz
  EXPECT_EQ(static_cast<int>(file[3]) >> 6, 3);      // mono
  EXPECT_EQ(to_string(file).find("Info"), std::string::npos);
  EXPECT_EQ(to_string(file).find("Xing"), std::string::npos);
  const Sound read = read_sound(file, "mp3");
  // The codec's lead of 1,105 samples, and whole frames of 576.
  EXPECT_GE(read.samples.size(), speech().size() + 1105);
  EXPECT_LE(read.samples.size(), speech().size() + 1105 + 2 * 576);
  EXPECT_GT(likeness(read.samples, 1105), 0.99);
}

TEST(SoundCodec, streamed_mp3_has_frames_of_one_size) {
  const Bytes file = streamed(speech(), {.format = SoundFormat::kMp3});
  size_t at = 0;
  size_t frames = 0;
  while (at + 4 <= file.size()) {
    ASSERT_EQ(le_at(file, at, 2) & 0xFEFF, 0xF2FFU) << "frame " << frames;
    at += 208 + (static_cast<int>(file[at + 2]) >> 1 & 1);  // 72 * 64000 / 22050, and the padding
    ++frames;
  }
  EXPECT_EQ(at, file.size());
  EXPECT_GT(frames, speech().size() / 576);
}

TEST(SoundCodec, whole_mp3_begins_with_its_tag) {
  const std::string file = to_string(encoded(speech(), {.format = SoundFormat::kMp3}));
  EXPECT_TRUE(file.starts_with(std::string("ID3\4\0", 5)));
  EXPECT_NE(file.find("TXXX"), std::string::npos);
  EXPECT_NE(file.find("synthetic speech"), std::string::npos);
  EXPECT_NE(file.find("Info"), std::string::npos);
  EXPECT_TRUE(to_string(encoded(speech(), {.format = SoundFormat::kMp3, .tags = false}))
                  .starts_with("\xFF\xF3"));
}

TEST(SoundCodec, opus_has_24_khz_and_the_length_of_the_input) {
  for (const bool whole : {true, false}) {
    const SoundWriterOptions options{.format = SoundFormat::kOpus};
    const Sound read =
        read_sound(whole ? encoded(speech(), options) : streamed(speech(), options), "opus");
    EXPECT_EQ(read.rate_hz, 24000);
    EXPECT_NEAR(static_cast<double>(read.samples.size()),
                static_cast<double>(speech().size()) * 24000 / 22050, 1);
    EXPECT_GT(peak(read.samples), 0.5F * peak(speech()));
  }
}

TEST(SoundCodec, opus_has_32_kbit_a_second) {
  std::vector<float> sound;
  for (int i = 0; i < 4; ++i) sound.insert(sound.end(), speech().begin(), speech().end());
  const size_t bytes = encoded(sound, {.format = SoundFormat::kOpus}).size() - 1000;  // headers
  const double seconds = static_cast<double>(sound.size()) / 22050;
  // The encoder may vary its rate, and pages of 100 ms cost 2.6 kbit/s.
  EXPECT_NEAR(8 * static_cast<double>(bytes) / seconds, 34600, 4000);
}

TEST(SoundCodec, vorbis_has_the_length_of_the_input) {
  const Sound read = read_sound(encoded(speech(), {.format = SoundFormat::kOgg}), "ogg");
  EXPECT_EQ(read.rate_hz, 22050);
  EXPECT_EQ(read.samples.size(), speech().size());
  EXPECT_GT(likeness(read.samples, 0), 0.99);
}

TEST(SoundCodec, comments_say_that_the_speech_is_synthetic_unless_told_not_to) {
  for (const SoundFormat format : {SoundFormat::kFlac, SoundFormat::kOpus, SoundFormat::kOgg}) {
    const std::string with = to_string(encoded(speech(), {.format = format, .title = "Zebra"}));
    EXPECT_NE(with.find("synthetic speech"), std::string::npos);
    EXPECT_NE(with.find("kani "), std::string::npos);
    EXPECT_NE(with.find("Zebra"), std::string::npos);
    const std::string without =
        to_string(encoded(speech(), {.format = format, .tags = false, .title = "Zebra"}));
    EXPECT_EQ(without.find("synthetic speech"), std::string::npos);
    EXPECT_EQ(without.find("Zebra"), std::string::npos);
  }
}

TEST(SoundCodec, aac_is_adts_with_all_of_the_sound) {
  if (!sound_format_supported(SoundFormat::kAac)) GTEST_SKIP() << "built without vo-aacenc";
  for (const size_t length : {size_t{0}, size_t{1}, size_t{1024}, size_t{70 * 1024}}) {
    const std::vector<float> sound(
        speech().begin(),
        speech().begin() + static_cast<ptrdiff_t>(std::min(length, speech().size())));
    const Bytes file = encoded(sound, {.format = SoundFormat::kAac});
    size_t at = 0;
    size_t frames = 0;
    while (at + 7 <= file.size()) {
      const auto byte = [&](size_t i) { return static_cast<unsigned>(file[at + i]); };
      ASSERT_EQ(byte(0) << 4 | byte(1) >> 4, 0xFFFU);            // sync
      ASSERT_EQ(byte(2) >> 2 & 15U, 7U);                         // 22,050 Hz
      ASSERT_EQ((byte(2) & 1U) << 2 | byte(3) >> 6, 1U);         // one channel
      at += (byte(3) & 3U) << 11 | byte(4) << 3 | byte(5) >> 5;  // frame length
      ++frames;
    }
    EXPECT_EQ(at, file.size());
    EXPECT_EQ(frames, (sound.size() + 1600 + 1023) / 1024) << sound.size();
  }
}

TEST(SoundCodec, aac_has_64_kbit_a_second) {
  if (!sound_format_supported(SoundFormat::kAac)) GTEST_SKIP() << "built without vo-aacenc";
  const size_t bytes = streamed(speech(), {.format = SoundFormat::kAac}).size();
  EXPECT_NEAR(8 * static_cast<double>(bytes) / (static_cast<double>(speech().size()) / 22050),
              64000, 3000);
}

TEST(SoundCodec, a_build_without_aac_says_so) {
  if (sound_format_supported(SoundFormat::kAac)) GTEST_SKIP() << "this build has AAC";
  Bytes bytes;
  EXPECT_EQ(error_of([&] { open_sound_memory(bytes, {.format = SoundFormat::kAac}); }),
            "unsupported: this build cannot write aac");
}

TEST(SoundCodec, streams_give_their_bytes_away_soon) {
  EXPECT_LE(longest_wait_ms(SoundFormat::kWav), 20);
  EXPECT_LE(longest_wait_ms(SoundFormat::kRaw), 20);
  EXPECT_LE(longest_wait_ms(SoundFormat::kMp3), 80);
  EXPECT_LE(longest_wait_ms(SoundFormat::kOpus), 160);
  EXPECT_LE(longest_wait_ms(SoundFormat::kFlac), 200);  // its blocks have 4,096 samples
  if (sound_format_supported(SoundFormat::kAac)) {
    EXPECT_LE(longest_wait_ms(SoundFormat::kAac), 60);
  }
}

TEST(SoundCodec, streams_do_not_depend_on_the_pieces) {
  for (const char* name : {"wav", "flac", "mp3", "opus", "aac", "raw"}) {
    const SoundWriterOptions options{.format = *sound_format_from_name(name)};
    if (!sound_format_supported(options.format)) continue;
    EXPECT_EQ(streamed(speech(), options, 1760), streamed(speech(), options, 333)) << name;
  }
}

TEST(SoundCodec, every_rate_a_codec_offers_works) {
  for (const SoundFormat format : {SoundFormat::kMp3, SoundFormat::kOpus, SoundFormat::kAac}) {
    if (!sound_format_supported(format)) continue;
    for (const int rate : encoder_rates(format)) {
      const Bytes file = encoded(speech(), {.format = format, .output_rate_hz = rate});
      EXPECT_GT(file.size(), 8000U) << rate;
      if (format == SoundFormat::kAac) continue;
      const Sound read = read_sound(file, "sound");
      EXPECT_EQ(read.rate_hz, rate);
      EXPECT_NEAR(static_cast<double>(read.samples.size()) / rate,
                  static_cast<double>(speech().size()) / 22050, 0.001);
    }
  }
}

}  // namespace
}  // namespace kani
