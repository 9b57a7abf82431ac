// ogg_page.cc - sizes and checksums of Ogg pages.
#include "kani/audio/ogg_page.h"

#include <array>

namespace kani {
namespace {

constexpr size_t kPosition = 6;
constexpr size_t kSerial = 14;
constexpr size_t kChecksum = 22;
constexpr size_t kSegments = 26;

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value << 1) ^ ((value & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
    }
    table[i] = value;
  }
  return table;
}();

uint64_t get_le(std::span<const std::byte> page, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<uint64_t>(page[at + i]) << (8 * i);
  return value;
}

void put_le32(std::span<std::byte> page, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) page[at + i] = static_cast<std::byte>(value >> (8 * i));
}

// The checksum is taken with zeros in its own place.
uint32_t checksum_of(std::span<const std::byte> page) {
  constexpr std::array<std::byte, 4> kZeros{};
  uint32_t sum = ogg_checksum(page.first(kChecksum));
  sum = ogg_checksum(kZeros, sum);
  return ogg_checksum(page.subspan(kChecksum + 4), sum);
}

}  // namespace

uint32_t ogg_checksum(std::span<const std::byte> bytes, uint32_t start) noexcept {
  uint32_t sum = start;
  for (const std::byte byte : bytes) {
    sum = (sum << 8) ^ kTable[(sum >> 24) ^ static_cast<uint32_t>(byte)];
  }
  return sum;
}

size_t ogg_page_size(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < kOggPageHeader) return 0;
  const auto segments = static_cast<size_t>(bytes[kSegments]);
  if (bytes.size() < kOggPageHeader + segments) return 0;
  size_t size = kOggPageHeader + segments;
  for (size_t i = 0; i < segments; ++i) size += static_cast<size_t>(bytes[kOggPageHeader + i]);
  return bytes.size() < size ? 0 : size;
}

size_t ogg_page_body(std::span<const std::byte> page) noexcept {
  return kOggPageHeader + static_cast<size_t>(page[kSegments]);
}

int64_t ogg_page_position(std::span<const std::byte> page) noexcept {
  return static_cast<int64_t>(get_le(page, kPosition, 8));
}

bool ogg_page_is_sound(std::span<const std::byte> page) noexcept {
  return get_le(page, kChecksum, 4) == checksum_of(page);
}

void ogg_page_seal(std::span<std::byte> page, uint32_t serial) noexcept {
  put_le32(page, kSerial, serial);
  put_le32(page, kChecksum, checksum_of(page));
}

uint32_t ogg_page_serial(std::span<const std::byte> page) noexcept {
  return static_cast<uint32_t>(get_le(page, kSerial, 4));
}

}  // namespace kani
