// Pictures.
#include "kani/eval/spectrogram.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace kani {
namespace {

uint32_t u32_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

/// The rows of a PNG of ours, checked as a reader would.
std::vector<std::string> rows_of(const std::string& png) {
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1A\n");
  uint32_t width = 0, height = 0;
  std::string packed;
  for (size_t at = 8; at < png.size();) {
    const uint32_t size = u32_at(png, at);
    const std::string named = png.substr(at + 4, 4 + size);
    EXPECT_EQ(u32_at(png, at + 8 + size), crc32(0, reinterpret_cast<const Bytef*>(named.data()),
                                                static_cast<uInt>(named.size())));
    if (named.starts_with("IHDR")) {
      width = u32_at(named, 4);
      height = u32_at(named, 8);
    }
    if (named.starts_with("IDAT")) packed = named.substr(4);
    at += 12 + size;
  }
  std::string rows(size_t{height} * (width + 1), '\0');
  uLongf length = rows.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(rows.data()), &length,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  EXPECT_EQ(length, rows.size());
  std::vector<std::string> out;
  for (uint32_t y = 0; y < height; ++y) out.push_back(rows.substr(y * (width + 1) + 1, width));
  return out;
}

TEST(Spectrogram, a_tone_is_a_bright_row_at_its_height) {
  std::vector<float> tone(16000);
  for (size_t i = 0; i < tone.size(); ++i)
    tone[i] = static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * 2000 * static_cast<double>(i) / 16000));
  const auto rows = rows_of(spectrogram_png(tone, 16000));
  ASSERT_EQ(rows.size(), 96U);
  EXPECT_EQ(rows[0].size(), 98U);
  size_t brightest = 0;
  for (size_t y = 0; y < rows.size(); ++y) {
    if (rows[y][50] > rows[brightest][50]) brightest = y;
  }
  EXPECT_EQ(brightest, 95 - 24U);  // a quarter of 8 kHz from below
  EXPECT_EQ(rows[brightest][50], 63);
  EXPECT_EQ(rows[10][50], 0);
}

TEST(Spectrogram, too_short_a_sound_has_no_picture) {
  EXPECT_TRUE(spectrogram_png(std::vector<float>(100), 16000).empty());
  EXPECT_FALSE(spectrogram_png(std::vector<float>(16000), 16000).empty());
}

TEST(Base64, as_in_the_standard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\xFD"), "//79");
}

}  // namespace
}  // namespace kani
