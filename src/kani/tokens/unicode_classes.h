// unicode_classes.h - the four classes of code points that the split rules know, as the reference
// tokenizer's regular expressions take them.  Tables: unicode_classes.cc, generated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani {

enum class CharClass : uint8_t { kOther, kLetter, kNumber, kSpace };  // order as in the tables

namespace unicode {
extern const size_t kPageCount;
extern const uint8_t kPageOf[];  // page of 256 code points -> which eight words of kPages
extern const uint64_t kPages[];  // two bits a code point
}  // namespace unicode

/// \p{L}, \p{N}, \s (the White_Space property) or none of them.  Any value is allowed.
inline CharClass char_class(char32_t c) noexcept {
  const size_t page = c >> 8;
  if (page >= unicode::kPageCount) return CharClass::kOther;
  const uint64_t word = unicode::kPages[size_t{unicode::kPageOf[page]} * 8 + ((c >> 5) & 7)];
  return static_cast<CharClass>((word >> (2 * (c & 31))) & 3);
}

}  // namespace kani
