// unicode.cc - the questions of unicode.h, put to ICU's property tables.  ICU's character data are
// constant and linked in: these functions are thread-safe.
#include "kani/text/unicode.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <iterator>

namespace kani {

namespace {

UChar32 icu_char(char32_t c) noexcept { return static_cast<UChar32>(c); }

uint32_t category_bit(char32_t c) noexcept { return U_GET_GC_MASK(icu_char(c)); }

UScriptCode script_of(char32_t c) noexcept {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(icu_char(c), &status);
  return U_SUCCESS(status) ? script : USCRIPT_INVALID_CODE;
}

bool in_range(char32_t c, char32_t first, char32_t last) noexcept {
  return c >= first && c <= last;
}

bool is_han(char32_t c) noexcept {
  return in_range(c, 0x3400, 0x9FFF) || in_range(c, 0xF900, 0xFAFF) ||
         in_range(c, 0x20000, 0x3FFFD) || c == 0x3005 || c == 0x3007;
}
bool is_kana(char32_t c) noexcept {
  return in_range(c, 0x3041, 0x30FF) || in_range(c, 0x31F0, 0x31FF) || in_range(c, 0xFF66, 0xFF9F);
}
bool is_hangul(char32_t c) noexcept { return in_range(c, 0xAC00, 0xD7A3); }

}  // namespace

bool is_letter(char32_t c) noexcept {
  if (c < 0x80) return is_ascii_letter(c);
  return (category_bit(c) & (U_GC_L_MASK | U_GC_M_MASK)) != 0;
}

bool is_mark(char32_t c) noexcept { return c >= 0x300 && (category_bit(c) & U_GC_M_MASK) != 0; }

bool is_upper(char32_t c) noexcept {
  if (c < 0x80) return c >= U'A' && c <= U'Z';
  return (category_bit(c) & (U_GC_LU_MASK | U_GC_LT_MASK)) != 0;
}

bool is_lower(char32_t c) noexcept {
  if (c < 0x80) return c >= U'a' && c <= U'z';
  return (category_bit(c) & U_GC_LL_MASK) != 0;
}

int digit_value(char32_t c) noexcept {
  if (c < 0x80) return is_ascii_digit(c) ? static_cast<int>(c - U'0') : -1;
  return u_charDigitValue(icu_char(c));
}

bool is_speakable(char32_t c) noexcept {
  if (c < 0x80) return is_ascii_letter(c) || is_ascii_digit(c);
  return (category_bit(c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

bool is_space(char32_t c) noexcept {
  if (c < 0x80) return c == U' ' || c == U'\t';
  return (category_bit(c) & U_GC_ZS_MASK) != 0;
}

bool is_line_break(char32_t c) noexcept {
  return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_opening(char32_t c) noexcept {
  if (c == U'"' || c == U'\'') return true;
  return (category_bit(c) & (U_GC_PS_MASK | U_GC_PI_MASK)) != 0;
}

bool is_closing(char32_t c) noexcept {
  if (c == U'"' || c == U'\'' || c == 0x201C) return true;  // “ closes in German
  return (category_bit(c) & (U_GC_PE_MASK | U_GC_PF_MASK)) != 0;
}

bool is_final_mark(char32_t c) noexcept {
  if (c < 0x80) return c == U'.' || c == U'!' || c == U'?';
  return c == 0x2026 || u_hasBinaryProperty(icu_char(c), UCHAR_S_TERM);
}

bool is_east_asian(char32_t c) noexcept {
  return is_han(c) || is_kana(c) || in_range(c, 0x3000, 0x303F) || in_range(c, 0xFF01, 0xFF0F) ||
         in_range(c, 0xFF1A, 0xFF20) || in_range(c, 0xFF3B, 0xFF40) || in_range(c, 0xFF5B, 0xFF65);
}

bool is_unspeakable_sign(char32_t c) noexcept {
  if (c < 0xA0) return false;
  if (c == 0xA9 || c == 0xAE || c == 0x2122 || c == 0x203C || c == 0x2049 || c == 0x2139) {
    return false;  // © ® ™ ‼ ⁉ ℹ: emoji by property, text by use
  }
  if (c == 0xFFFC || c == 0xFFFD || c == 0x20E3) return true;
  if (in_range(c, 0x2500, 0x27BF) || in_range(c, 0x2800, 0x28FF) || in_range(c, 0x2B00, 0x2BFF)) {
    return true;  // box drawing, blocks, shapes, miscellaneous symbols, dingbats, Braille, arrows
  }
  if (in_range(c, 0x1F000, 0x1FAFF)) return true;
  if (u_hasBinaryProperty(icu_char(c), UCHAR_NONCHARACTER_CODE_POINT)) return true;
  if (category_bit(c) & (U_GC_CO_MASK | U_GC_CS_MASK)) return true;
  return c >= 0x2300 && u_hasBinaryProperty(icu_char(c), UCHAR_EXTENDED_PICTOGRAPHIC);
}

bool is_symbol(char32_t c) noexcept {
  if (c < 0x80)
    return std::u32string_view(U"#$%&*+/<=>@\\^_`|~").find(c) != std::u32string_view::npos;
  if (c == 0xA7 || c == 0xB6 || c == 0x2030 || c == 0x2031) return true;  // § ¶ ‰ ‱ are punctuation
  return (category_bit(c) & U_GC_S_MASK) != 0;
}

size_t column_width(char32_t c) noexcept {
  if (c < 0x300) return 1;
  if (is_mark(c)) return 0;
  const int width = u_getIntPropertyValue(icu_char(c), UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

size_t spoken_length(char32_t c) noexcept {
  if (c < 0x3000) return 1;
  if (is_han(c)) return 3;
  return is_kana(c) || is_hangul(c) ? 2 : 1;
}

bool needs_joiners(char32_t before, char32_t after) noexcept {
  constexpr UScriptCode kScripts[] = {
      USCRIPT_ARABIC,  USCRIPT_SYRIAC,   USCRIPT_NKO,       USCRIPT_MONGOLIAN, USCRIPT_DEVANAGARI,
      USCRIPT_BENGALI, USCRIPT_GURMUKHI, USCRIPT_GUJARATI,  USCRIPT_ORIYA,     USCRIPT_TAMIL,
      USCRIPT_TELUGU,  USCRIPT_KANNADA,  USCRIPT_MALAYALAM, USCRIPT_SINHALA,   USCRIPT_KHMER,
      USCRIPT_MYANMAR, USCRIPT_ADLAM,    USCRIPT_THAANA,
  };
  if (!is_letter(before) || !is_letter(after)) return false;
  const UScriptCode script = script_of(before);
  if (script_of(after) != script) return false;
  return std::find(std::begin(kScripts), std::end(kScripts), script) != std::end(kScripts);
}

char32_t to_upper(char32_t c) noexcept { return static_cast<char32_t>(u_toupper(icu_char(c))); }
char32_t to_lower(char32_t c) noexcept { return static_cast<char32_t>(u_tolower(icu_char(c))); }

}  // namespace kani
