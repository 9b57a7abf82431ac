// number.cc - reads numbers, says numbers.
#include "kani/text/number.h"

#include "kani/text/clean.h"

namespace kani {

namespace {

bool has_group(const Scan& scan, size_t at, char32_t mark) {
  return scan.peek(at) == mark && is_digit(scan.peek(at + 1)) && is_digit(scan.peek(at + 2)) &&
         is_digit(scan.peek(at + 3)) && !is_digit(scan.peek(at + 4));
}

/// The group mark at `at`, or 0.
char32_t group_mark_at(const Scan& scan, size_t at) {
  const Language& language = scan.language();
  const char32_t c = scan.peek(at);
  if (c == 0) return 0;
  const bool known = c == scan.tools.group_mark || c == kGroupSpace ||
                     c == language.apostrophe_group || (c == U' ' && language.space_groups);
  return known && has_group(scan, at, c) ? c : 0;
}

/// Whether the mark at `at` begins a decimal fraction.
bool is_decimal_mark(const Scan& scan, size_t at) {
  const char32_t c = scan.peek(at);
  if (!is_digit(scan.peek(at + 1))) return false;
  if (c == scan.tools.decimal_mark || c == 0x066B) return true;
  // "3.5" is understood everywhere; "3.500" is not where the point groups.
  return c == U'.' && !has_group(scan, at, U'.');
}

std::string_view without_trailing_zeros(std::string_view digits) {
  while (!digits.empty() && digits.back() == '0') digits.remove_suffix(1);
  return digits;
}

std::u32string say_fraction(const TextTools& tools, const Number& number) {
  const bool as_number = tools.language.fraction_style == FractionStyle::kNumber &&
                         number.fraction.size() <= 2 && number.fraction[0] != '0';
  if (!as_number) return say_digits(tools, number.fraction);
  Number fraction;
  fraction.integer = number.fraction;
  return say_number(tools, fraction);
}

std::u32string say_decimal(const TextTools& tools, const Number& number) {
  const Language& language = tools.language;
  const std::string_view fraction = without_trailing_zeros(number.fraction);
  // ICU gets a double: beyond 15 digits it would say digits that nobody wrote.
  const bool exact = number.integer.size() + fraction.size() <= 15 && fraction.size() <= 3;
  if (language.fraction_style == FractionStyle::kRules &&
      (exact || language.decimal_word.empty())) {
    return tools.speller.spell_decimal(number.amount(), language.numbering);
  }
  Number whole;
  whole.integer = number.integer;
  whole.grouped = number.grouped;
  std::u32string words = say_number(tools, whole);
  words.append(language.word_space).append(language.decimal_word).append(language.word_space);
  return words + say_fraction(tools, number);
}

}  // namespace

int64_t Number::value() const {
  int64_t value = 0;
  for (const char c : integer) value = value * 10 + (c - '0');
  return value;
}

double Number::amount() const {
  double fraction_value = 0, scale = 1;
  for (const char c : fraction) {
    fraction_value = fraction_value * 10 + (c - '0');
    scale *= 10;
  }
  return static_cast<double>(value()) + fraction_value / scale;
}

std::optional<std::string> read_digits(const Scan& scan, size_t at, size_t most) {
  std::string digits;
  for (; is_digit(scan.peek(at)); ++at) {
    if (digits.size() == most) return std::nullopt;
    digits.push_back(static_cast<char>('0' + digit_value(scan.peek(at))));
  }
  if (digits.empty()) return std::nullopt;
  return digits;
}

std::optional<Number> read_number(const Scan& scan, size_t at) {
  const std::optional<std::string> first = read_digits(scan, at, kMostNumberDigits);
  if (!first) return std::nullopt;
  Number number;
  number.integer = *first;
  number.end = at + first->size();
  if (first->size() <= 3 && (*first)[0] != '0') {
    const char32_t mark = group_mark_at(scan, number.end);
    while (mark != 0 && has_group(scan, number.end, mark)) {
      if (number.integer.size() + 3 > kMostNumberDigits) return std::nullopt;
      number.integer += *read_digits(scan, number.end + 1, 3);
      number.end += 4;
      number.grouped = true;
    }
  }
  if (is_decimal_mark(scan, number.end)) {
    if (const auto fraction = read_digits(scan, number.end + 1, kMostNumberDigits)) {
      number.fraction = *fraction;
      number.end += 1 + fraction->size();
    }
  }
  return number;
}

std::u32string say_digits(const TextTools& tools, std::string_view digits) {
  std::u32string words;
  for (const char digit : digits) {
    if (!words.empty()) words.append(tools.language.word_space);
    words += tools.speller.spell(digit - '0', tools.language.numbering);
  }
  return words;
}

std::u32string say_number(const TextTools& tools, const Number& number, std::string_view rules) {
  if (!number.whole()) return say_decimal(tools, number);
  if (number.is_code()) return say_digits(tools, number.integer);
  return tools.speller.spell(number.value(), rules.empty() ? tools.language.numbering : rules);
}

std::string_view cardinal_rules(const Language& language, Gender gender) {
  const std::string_view of_gender = language.cardinal[static_cast<size_t>(gender)];
  if (!of_gender.empty()) return of_gender;
  return language.cardinal[0].empty() ? language.numbering : language.cardinal[0];
}

std::u32string_view noun_form(const Language& language, const Noun& noun,
                              std::u32string_view category) {
  std::u32string_view forms = noun.forms, categories = language.plurals;
  while (true) {
    const size_t bar = forms.find(U'|'), category_bar = categories.find(U'|');
    const bool last = bar == std::u32string_view::npos || category_bar == std::u32string_view::npos;
    if (last || categories.substr(0, category_bar) == category) return forms.substr(0, bar);
    forms.remove_prefix(bar + 1);
    categories.remove_prefix(category_bar + 1);
  }
}

std::u32string say_counted(const TextTools& tools, const Number& number, const Noun& noun) {
  const Language& language = tools.language;
  const std::u32string_view form = noun_form(language, noun, tools.speller.plural(number.amount()));
  if (form.starts_with(U'=')) return std::u32string(form.substr(1));
  const std::u32string words = say_number(tools, number, cardinal_rules(language, noun.gender));
  const size_t place = form.find(U'#');
  if (place == std::u32string_view::npos) {
    return std::u32string(words).append(language.word_space).append(form);
  }
  return std::u32string(form.substr(0, place)).append(words).append(form.substr(place + 1));
}

Number make_number(int64_t value) {
  Number number;
  number.integer = std::to_string(value);
  return number;
}

}  // namespace kani
