// signs.cc - looks signs and abbreviations up and checks that they stand where their entry says.
#include "kani/text/signs.h"

#include <algorithm>

namespace kani {

namespace {

char32_t next_after_space(const Scan& scan, size_t i) {
  return scan.peek(i) == U' ' ? scan.peek(i + 1) : scan.peek(i);
}

char32_t before_space(const Scan& scan, size_t i) {
  return scan.before(i) == U' ' && i > 1 ? scan.text[i - 2] : scan.before(i);
}

bool fits(const Scan& scan, const Abbreviation& abbreviation, size_t end) {
  const char32_t next = next_after_space(scan, end);
  switch (abbreviation.place) {
    case AbbreviationPlace::kAnywhere:
      return true;
    case AbbreviationPlace::kBeforeName:
      return is_upper(next);
    case AbbreviationPlace::kAfterName: {
      const std::u32string_view before = scan.word_before(scan.at);
      return !before.empty() && is_upper(before[0]) && !is_upper(next);
    }
    case AbbreviationPlace::kBeforeNumber:
      return is_digit(next);
    case AbbreviationPlace::kAfterNumber:
      return is_digit(before_space(scan, scan.at));
  }
  return false;
}

/// Nothing but closing marks behind `i`.
bool at_sentence_end(const Scan& scan, size_t i) {
  while (i < scan.text.size() && (is_closing(scan.text[i]) || scan.text[i] == U' ')) ++i;
  return i == scan.text.size();
}

bool fits(const Scan& scan, const Symbol& symbol, bool after_quantity) {
  const size_t at = scan.at;
  switch (symbol.place) {
    case SymbolPlace::kAnywhere:
      return true;
    case SymbolPlace::kBeforeNumber:
      return is_digit(scan.peek(at + 1));
    case SymbolPlace::kBetweenNumbers: {
      const char32_t before = before_space(scan, at), next = next_after_space(scan, at + 1);
      return (is_digit(before) || is_closing(before)) && (is_digit(next) || is_opening(next));
    }
    case SymbolPlace::kBeforeWord:
      return is_letter(scan.peek(at + 1));
    case SymbolPlace::kBetweenWords:
      return is_word_char(scan.before(at)) && is_word_char(scan.peek(at + 1));
    case SymbolPlace::kAfterWord:
      return is_letter(scan.before(at)) && !is_word_char(scan.peek(at + 1));
    case SymbolPlace::kAfterQuantity:
      return after_quantity && is_letter(scan.peek(at + 1));
  }
  return false;
}

}  // namespace

Match match_abbreviation(const Scan& scan) {
  for (const Abbreviation& abbreviation : scan.language().abbreviations) {
    const std::u32string_view written = abbreviation.written;
    if (abbreviation.spoken.empty() || !scan.says(scan.at, written)) continue;
    const size_t end = scan.at + written.size();
    if (is_word_char(scan.peek(end)) || !fits(scan, abbreviation, end)) continue;
    Spoken spoken{std::u32string(abbreviation.spoken), end};
    if (written.ends_with(U'.') && at_sentence_end(scan, end)) spoken.words.push_back(U'.');
    return spoken;
  }
  return std::nullopt;
}

std::optional<std::u32string_view> sign_name(const Scan& scan, bool after_quantity) {
  const char32_t sign = scan.peek(scan.at);
  for (const Symbol& symbol : scan.language().symbols) {
    if (symbol.sign == sign && fits(scan, symbol, after_quantity)) return symbol.name;
  }
  return std::nullopt;
}

std::optional<bool> abbreviation_goes_on(const Language& language, std::u32string_view word,
                                         char32_t next) {
  std::optional<bool> goes_on;
  for (const Abbreviation& abbreviation : language.abbreviations) {
    if (abbreviation.written != word) continue;
    bool here = false;
    switch (abbreviation.place) {
      case AbbreviationPlace::kAnywhere:
      case AbbreviationPlace::kAfterNumber:
        here = !abbreviation.may_end_sentence;
        break;
      case AbbreviationPlace::kBeforeName:
        here = is_upper(next);
        break;
      case AbbreviationPlace::kAfterName:
        break;
      case AbbreviationPlace::kBeforeNumber:
        here = is_digit(next);
        break;
    }
    goes_on = goes_on.value_or(false) || here;
  }
  return goes_on;
}

}  // namespace kani
