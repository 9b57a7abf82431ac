// ogg_page.h - the frame of an Ogg page: how long it is, whether it is whole (RFC 3533 section 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kani {

constexpr size_t kOggPageHeader = 27;  // then a table of segment sizes, then the segments
constexpr size_t kOggPageMost = 27 + 255 + 255 * 255;

/// The size of the page at the front of `bytes`, 0 if there is no whole page.
size_t ogg_page_size(std::span<const std::byte> bytes) noexcept;

/// Where its first packet begins.  The page must be whole.
size_t ogg_page_body(std::span<const std::byte> page) noexcept;

/// 0 on header pages; -1 if no packet ends here; else samples up to its end.
int64_t ogg_page_position(std::span<const std::byte> page) noexcept;

/// Whether the checksum in the page is the right one.
bool ogg_page_is_sound(std::span<const std::byte> page) noexcept;

/// Writes a serial number and the checksum that then is right.
void ogg_page_seal(std::span<std::byte> page, uint32_t serial) noexcept;
uint32_t ogg_page_serial(std::span<const std::byte> page) noexcept;

/// The checksum of the format (polynomial 0x04C11DB7, most significant bit first, start 0).
uint32_t ogg_checksum(std::span<const std::byte> bytes, uint32_t start = 0) noexcept;

}  // namespace kani
