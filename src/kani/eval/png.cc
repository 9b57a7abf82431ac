// png.cc - the bytes of a PNG file with a palette, and base64, see spectrogram.h.  Source: ISO/IEC
// 15948; RFC 4648.
#include <zlib.h>

#include <vector>

#include "kani/base/error.h"
#include "kani/eval/spectrogram.h"

namespace kani {
namespace {

void put_u32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

void put_chunk(std::string& out, const std::string& name, std::string_view data) {
  put_u32(out, static_cast<uint32_t>(data.size()));
  const std::string named = concat(name, data);
  out += named;
  put_u32(out, static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(named.data()),
                                           static_cast<uInt>(named.size()))));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()),
                Z_BEST_COMPRESSION) != Z_OK)
    throw Error(ErrorCode::kOutOfMemory, "out of memory while compressing a picture");
  out.resize(size);
  return out;
}

}  // namespace

std::string palette_png(std::span<const uint8_t> pixels, uint32_t width,
                        std::span<const uint8_t, 192> palette) {
  const auto height = static_cast<uint32_t>(pixels.size() / width);
  std::string rows;
  for (uint32_t y = 0; y < height; ++y) {
    rows += '\0';  // no filter: colours of a palette are no numbers
    for (uint32_t x = 0; x < width; ++x) rows += static_cast<char>(pixels[size_t{y} * width + x]);
  }
  std::string header;
  put_u32(header, width);
  put_u32(header, height);
  header += std::string("\x08\x03\x00\x00\x00", 5);  // 8 bits, palette, deflate, no interlace
  std::string out = "\x89PNG\r\n\x1A\n";
  put_chunk(out, "IHDR", header);
  put_chunk(out, "PLTE", {reinterpret_cast<const char*>(palette.data()), palette.size()});
  put_chunk(out, "IDAT", deflated(rows));
  put_chunk(out, "IEND", {});
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t value = 0;
    for (size_t k = 0; k < 3; ++k)
      value = value << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[value >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace kani
