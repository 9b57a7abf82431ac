// unicode.h - the questions that the text front end asks about one code point.
// Source: Unicode character properties as ICU has them; the header keeps ICU's own headers out of
// the callers.  Not here: boundaries (breaks.h), normalization (clean.h), language rules
// (language.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kani {

inline bool is_ascii_digit(char32_t c) noexcept { return c >= U'0' && c <= U'9'; }
inline bool is_ascii_letter(char32_t c) noexcept {
  return (c | 0x20u) >= U'a' && (c | 0x20u) <= U'z';
}

/// Letters and the marks that belong to them, so that a word in Hindi or Arabic is one run.
bool is_letter(char32_t c) noexcept;
bool is_mark(char32_t c) noexcept;
bool is_upper(char32_t c) noexcept;  // upper and title case
bool is_lower(char32_t c) noexcept;
/// 0 … 9 for decimal digits of any script, -1 for everything else.
int digit_value(char32_t c) noexcept;
inline bool is_digit(char32_t c) noexcept { return digit_value(c) >= 0; }
inline bool is_word_char(char32_t c) noexcept { return is_letter(c) || is_digit(c); }

/// Letters and numbers of any kind: what can be spoken without a table of names.
bool is_speakable(char32_t c) noexcept;

/// White space other than line breaks (all the Zs and the tab).
bool is_space(char32_t c) noexcept;
/// LF, CR, VT, FF, NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR.
bool is_line_break(char32_t c) noexcept;

/// Brackets and quotes; the straight ones are both.
bool is_opening(char32_t c) noexcept;
bool is_closing(char32_t c) noexcept;
/// Marks that end a sentence in some script: . ! ? … 。 ！ ？ ؟ । and their like.
bool is_final_mark(char32_t c) noexcept;

/// Han, kana and the punctuation that is set with them: two lines of it join without a space.
bool is_east_asian(char32_t c) noexcept;
/// Emoji, box drawing, dingbats and other pictures; private use, noncharacters, U+FFFD.
bool is_unspeakable_sign(char32_t c) noexcept;
/// Symbols (categories Sm, Sc, Sk, So) and the ASCII signs & @ # % * / \ _ that are used as such.
bool is_symbol(char32_t c) noexcept;

/// Columns on a terminal: 0 for marks, 2 for wide East Asian, else 1.
size_t column_width(char32_t c) noexcept;

/// How long it takes to say, in Latin letters: Han 3, kana and Hangul 2, else 1 (about 15 Latin
/// letters, 4.5 Chinese, 7.5 Japanese and 6 Korean syllables a second).  Never below 1.
size_t spoken_length(char32_t c) noexcept;

/// ZWJ and ZWNJ change the word between two letters of one of these scripts (Arabic, Indic, …).
bool needs_joiners(char32_t before, char32_t after) noexcept;

char32_t to_upper(char32_t c) noexcept;
char32_t to_lower(char32_t c) noexcept;

}  // namespace kani
