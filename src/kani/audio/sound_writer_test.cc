// Options, states, WAV and raw bytes.  The codecs: sound_codec_test.cc; files: sound_file_test.cc.
#include "kani/audio/sound_writer.h"

#include <gtest/gtest.h>

#include <limits>

#include "kani/audio/encoder.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

TEST(SoundWriter, format_follows_from_a_name_or_an_ending) {
  EXPECT_EQ(sound_format_from_name("a/b.WAV"), SoundFormat::kWav);
  EXPECT_EQ(sound_format_from_name("x.y.mp3"), SoundFormat::kMp3);
  EXPECT_EQ(sound_format_from_name("opus"), SoundFormat::kOpus);
  EXPECT_EQ(sound_format_from_name("x.ogg"), SoundFormat::kOgg);
  EXPECT_EQ(sound_format_from_name("x.flac"), SoundFormat::kFlac);
  EXPECT_EQ(sound_format_from_name("AAC"), SoundFormat::kAac);
  EXPECT_EQ(sound_format_from_name("pcm"), SoundFormat::kRaw);
  EXPECT_EQ(sound_format_from_name("x.raw"), SoundFormat::kRaw);
  for (const char* name : {"", ".", "x.", "x.txt", "folder.wav/x", "folder/mp3", "x.mp", "mp3x"}) {
    EXPECT_EQ(sound_format_from_name(name), std::nullopt) << name;
  }
}

TEST(SoundWriter, rates_that_a_format_cannot_have_are_refused_by_name) {
  SoundWriterOptions options{.format = SoundFormat::kOpus, .output_rate_hz = 22050};
  Bytes bytes;
  EXPECT_EQ(
      error_of([&] { open_sound_memory(bytes, options); }),
      "invalid_argument: opus cannot have a sample rate of 22050 Hz, only one of 8000, 12000, "
      "16000, 24000, 48000");
  options = {.format = SoundFormat::kWav, .input_rate_hz = 100};
  EXPECT_EQ(error_of([&] { open_sound_memory(bytes, options); }),
            "invalid_argument: sample rate is 100 Hz, must be 8000 to 192000");
  options = {.format = SoundFormat::kWav, .output_rate_hz = 1000000};
  EXPECT_NE(error_of([&] { open_sound_memory(bytes, options); }), "");
}

TEST(SoundWriter, vorbis_is_not_streamed) {
  EXPECT_TRUE(error_of([] {
                open_sound_stream([](std::span<const std::byte>) {}, {.format = SoundFormat::kOgg});
              }).starts_with("unsupported: "));
}

TEST(SoundWriter, wav_header_is_exact) {
  const Bytes file =
      encoded(std::vector<float>{0.0F, 0.5F, -0.5F}, {.format = SoundFormat::kWav, .tags = false});
  const std::string expected(
      "RIFF\x2a\0\0\0WAVEfmt \x10\0\0\0\x1\0\x1\0\x22\x56\0\0\x44\xac\0\0"
      "\x2\0\x10\0data\x6\0\0\0\0\0\0\x40\0\xc0",
      50);
  EXPECT_EQ(to_string(file), expected);
}

TEST(SoundWriter, wav_tags_stand_behind_the_samples) {
  const Bytes file = encoded(tone(1000, 440, 22050), {.format = SoundFormat::kWav, .title = "T"});
  EXPECT_EQ(to_string(std::span(file).subspan(36, 4)), "data");
  EXPECT_EQ(le_at(file, 40, 4), 2000U);
  EXPECT_EQ(le_at(file, 4, 4), file.size() - 8);
  const std::string behind = to_string(std::span(file).subspan(2044));
  EXPECT_TRUE(behind.starts_with("LIST"));
  EXPECT_EQ(le_at(file, 2048, 4), behind.size() - 8);
  EXPECT_NE(behind.find("ISFT"), std::string::npos);
  EXPECT_NE(behind.find("synthetic speech"), std::string::npos);
  EXPECT_EQ(read_sound(file, "wav").samples.size(), 1000U);  // and are not read as sound
}

TEST(SoundWriter, streamed_wav_has_44_bytes_of_header_and_unknown_sizes) {
  const Bytes file = streamed(tone(5000, 440, 22050), {.format = SoundFormat::kWav, .title = "T"});
  EXPECT_EQ(file.size(), 44U + 10000U);
  EXPECT_EQ(le_at(file, 4, 4), 0xFFFFFFFFU);
  EXPECT_EQ(le_at(file, 40, 4), 0xFFFFFFFFU);
  EXPECT_EQ(read_sound(file, "wav").samples.size(), 5000U);
}

TEST(SoundWriter, wav_sizes_beyond_32_bits_are_unknown) {
  const Bytes header = wav_header(22050, uint64_t{5} << 30, 100);
  EXPECT_EQ(header.size(), 44U);
  EXPECT_EQ(le_at(header, 4, 4), 0xFFFFFFFFU);
  EXPECT_EQ(le_at(header, 40, 4), 0xFFFFFFFFU);
}

TEST(SoundWriter, wav_samples_are_read_back_unchanged) {
  std::vector<float> sound;
  for (int sample = -32768; sample <= 32767; ++sample) {
    sound.push_back(static_cast<float>(sample) / 32768.0F);
  }
  EXPECT_EQ(read_sound(encoded(sound, {.format = SoundFormat::kWav}), "wav").samples, sound);
}

TEST(SoundWriter, raw_is_nothing_but_samples) {
  const Bytes file = streamed(std::vector<float>{0.5F, -1.0F}, {.format = SoundFormat::kRaw});
  EXPECT_EQ(to_string(file), std::string("\0\x40\0\x80", 4));
}

TEST(SoundWriter, odd_samples_are_made_harmless_before_they_meet_a_filter) {
  std::vector<float> sound = tone(4000, 440, 22050);
  sound[1000] = std::numeric_limits<float>::quiet_NaN();
  sound[2000] = std::numeric_limits<float>::infinity();
  sound[3000] = -1e30F;
  for (const char* name : {"wav", "flac", "mp3", "opus", "ogg"}) {
    const SoundWriterOptions options{.format = *sound_format_from_name(name),
                                     .output_rate_hz = 24000};
    const Sound read = read_sound(encoded(sound, options), name);  // throws if one is not finite
    EXPECT_GT(read.samples.size(), 4000U) << name;
  }
}

TEST(SoundWriter, sound_is_resampled_to_the_rate_asked_for) {
  const Sound read = read_sound(
      encoded(tone(22050, 440, 22050), {.format = SoundFormat::kWav, .output_rate_hz = 48000}), "");
  EXPECT_EQ(read.rate_hz, 48000);
  EXPECT_EQ(read.samples.size(), 48000U);
}

TEST(SoundWriter, samples_are_counted_at_the_rate_of_the_input) {
  Bytes bytes;
  const auto writer =
      open_sound_memory(bytes, {.format = SoundFormat::kWav, .output_rate_hz = 48000});
  writer->write(tone(100, 440, 22050));
  writer->write(tone(23, 440, 22050));
  EXPECT_EQ(writer->samples(), 123U);
}

TEST(SoundWriter, sound_of_no_samples_is_a_whole_file_in_every_format) {
  for (const char* name : {"wav", "flac", "mp3", "opus", "ogg"}) {
    const Bytes file = encoded({}, {.format = *sound_format_from_name(name)});
    EXPECT_LE(read_sound(file, name).samples.size(), 1U) << name;
  }
  EXPECT_EQ(streamed({}, {.format = SoundFormat::kWav}).size(), 44U);
}

TEST(SoundWriter, after_the_end_nothing_is_taken) {
  Bytes bytes;
  const auto writer = open_sound_memory(bytes, {});
  writer->finish();
  EXPECT_TRUE(error_of([&] { writer->write(tone(1, 1, 22050)); }).starts_with("invalid_argument"));
  EXPECT_TRUE(error_of([&] { writer->finish(); }).starts_with("invalid_argument"));
}

TEST(SoundWriter, what_the_sink_throws_passes_through_every_encoder_and_ends_the_sound) {
  for (const char* name : {"wav", "flac", "mp3", "opus", "aac", "raw"}) {
    const SoundFormat format = *sound_format_from_name(name);
    if (!sound_format_supported(format)) continue;
    const auto writer = open_sound_stream(
        [](std::span<const std::byte>) { throw Error(ErrorCode::kCancelled, "client is gone"); },
        {.format = format});
    const std::vector<float> sound = tone(22050, 440, 22050);
    EXPECT_EQ(error_of([&] { writer->write(sound); }), "cancelled: client is gone") << name;
    EXPECT_EQ(error_of([&] { writer->finish(); }),
              "cannot_write: an earlier write of this sound failed")
        << name;
  }
}

TEST(SoundWriter, bytes_in_front_of_a_file_in_memory_stay) {
  Bytes bytes = to_bytes("front");
  const auto writer = open_sound_memory(bytes, {.format = SoundFormat::kFlac});
  writer->write(tone(10000, 440, 22050));
  writer->finish();
  EXPECT_TRUE(to_string(bytes).starts_with("frontfLaC"));
  EXPECT_EQ(read_sound(std::span(bytes).subspan(5), "flac").samples.size(), 10000U);
}

}  // namespace
}  // namespace kani
