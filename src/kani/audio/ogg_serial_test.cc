#include "kani/audio/ogg_serial.h"

#include <gtest/gtest.h>

#include "kani/audio/ogg_page.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

const SoundWriterOptions kOpus{.format = SoundFormat::kOpus};

std::vector<uint32_t> serials(std::span<const std::byte> file) {
  std::vector<uint32_t> found;
  while (const size_t size = ogg_page_size(file)) {
    EXPECT_TRUE(ogg_page_is_sound(file.first(size)));
    found.push_back(ogg_page_serial(file.first(size)));
    file = file.subspan(size);
  }
  EXPECT_TRUE(file.empty());
  return found;
}

TEST(OggPage, checksum_is_that_of_the_format) {
  // The check value of CRC-32 with this polynomial, unreflected, start 0, nothing inverted.
  EXPECT_EQ(ogg_checksum(to_bytes("123456789")), 0x89A1897FU);
}

TEST(OggPage, size_is_known_only_of_a_whole_page) {
  const Bytes file = encoded(tone(22050, 440, 22050), kOpus);
  const size_t size = ogg_page_size(file);
  EXPECT_EQ(size, 47U);  // a header of 19 bytes in one segment
  EXPECT_EQ(ogg_page_body(file), 28U);
  for (size_t less = 0; less < size; ++less) {
    EXPECT_EQ(ogg_page_size(std::span(file).first(less)), 0U);
  }
}

TEST(OggPage, any_changed_byte_is_noticed) {
  Bytes file = encoded(tone(22050, 440, 22050), kOpus);
  const auto page = std::span(file).first(ogg_page_size(file));
  for (std::byte& byte : page) {
    byte ^= std::byte{0x10};
    EXPECT_FALSE(ogg_page_is_sound(page));
    byte ^= std::byte{0x10};
  }
  EXPECT_TRUE(ogg_page_is_sound(page));
}

TEST(OggSerial, the_same_sound_gives_the_same_bytes) {
  const std::vector<float> sound = tone(22050, 440, 22050);
  EXPECT_EQ(encoded(sound, kOpus), encoded(sound, kOpus));
}

TEST(OggSerial, another_sound_gives_another_number_on_every_page) {
  const std::vector<uint32_t> one = serials(encoded(tone(22050, 440, 22050), kOpus));
  const std::vector<uint32_t> two = serials(encoded(tone(22050, 450, 22050), kOpus));
  ASSERT_GT(one.size(), 5U);
  EXPECT_EQ(std::count(one.begin(), one.end(), one[0]), static_cast<ptrdiff_t>(one.size()));
  EXPECT_NE(one[0], two[0]);
}

TEST(OggSerial, pages_come_out_whole_whatever_the_pieces) {
  const Bytes file = encoded(tone(22050, 440, 22050), kOpus);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{300}, file.size()}) {
    OggSerial serial;
    Bytes out;
    const auto sink = [&out](std::span<const std::byte> page) {
      EXPECT_EQ(to_string(page.first(4)), "OggS");
      out.insert(out.end(), page.begin(), page.end());
    };
    for (size_t i = 0; i < file.size(); i += piece) {
      serial.push(std::span(file).subspan(i, std::min(piece, file.size() - i)), sink);
    }
    serial.finish(sink);
    EXPECT_EQ(out, file) << piece;  // the number follows from the content, so it stays
  }
}

TEST(OggSerial, what_is_no_page_is_refused) {
  OggSerial serial;
  EXPECT_NE(error_of([&] { serial.push(Bytes(100), [](std::span<const std::byte>) {}); }), "");
}

}  // namespace
}  // namespace kani
