// bytes.h - little-endian numbers out of bytes from outside, and the one way in which the readers
// of this folder refuse a file.  Bounds are the caller's business.  Not a public header.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "kani/base/error.h"

namespace kani {

static_assert(std::endian::native == std::endian::little, "files and machine are little endian");

template <typename T>
T load(std::span<const std::byte> bytes, size_t offset) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

inline std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Throws Error(kBadInput, "<where>: <parts>"); `where` is the file, or "<file>: <member>".
template <typename... Parts>
[[noreturn]] void refuse(std::string_view where, const Parts&... parts) {
  throw Error(ErrorCode::kBadInput, where, ": ", parts...);
}

}  // namespace kani
