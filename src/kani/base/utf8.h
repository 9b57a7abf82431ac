// utf8.h - decoding and encoding UTF-8.  Invalid input is either found (find_invalid) or replaced
// by U+FFFD by the "maximal subpart" rule of Unicode and WHATWG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kani {

struct CodePoint {
  char32_t value;  // U+FFFD if the bytes were invalid
  size_t length;   // bytes taken, >= 1
  bool valid;
};

/// The code point at the start of `text` (not empty).  Invalid: the maximal subpart is taken as one
/// U+FFFD.
CodePoint decode_utf8(std::string_view text) noexcept;

/// Byte offset of the first invalid sequence, or nothing.
std::optional<size_t> find_invalid_utf8(std::string_view text) noexcept;

/// `text` with every invalid maximal subpart replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

/// Appends `value` (a scalar value; others are written as U+FFFD).
void append_utf8(std::string& out, char32_t value);

std::u32string to_utf32(std::string_view text);
std::string to_utf8(std::u32string_view text);

/// Number of code points (invalid subparts count one each).
size_t utf8_length(std::string_view text) noexcept;

}  // namespace kani
