// spectrogram.h - a picture of a sound, as the bytes of a PNG file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace kani {

/// 100 columns a second (at most 1,200; the rest is not drawn), 96 rows from 0 to 8 kHz upwards;
/// dark is 70 dB below the loudest.  Empty for sound shorter than 25 ms.
std::string spectrogram_png(std::span<const float> mono, int rate_hz);

/// A picture of `width` columns with a palette of 64 colours, row by row from the top.
std::string palette_png(std::span<const uint8_t> pixels, uint32_t width,
                        std::span<const uint8_t, 192> palette);

std::string base64(std::string_view bytes);

}  // namespace kani
