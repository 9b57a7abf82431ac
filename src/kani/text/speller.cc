// speller.cc - the only file that knows ICU's number formats.
#include "kani/text/speller.h"

#include <unicode/dcfmtsym.h>
#include <unicode/plurrule.h>
#include <unicode/rbnf.h>

#include <set>

#include "kani/base/error.h"
#include "kani/text/unicode.h"

namespace kani {

namespace {

std::u32string to_utf32(const icu::UnicodeString& text) {
  std::u32string out;
  for (int32_t i = 0; i < text.length();) {
    const UChar32 c = text.char32At(i);
    out.push_back(static_cast<char32_t>(c));
    i += U16_LENGTH(c);
  }
  return out;
}

/// Without the invisible break hints of the rules, with single spaces.
std::u32string tidy(const icu::UnicodeString& spelled) {
  std::u32string out;
  for (const char32_t c : to_utf32(spelled)) {
    if (c == 0xAD || c == 0x200B) continue;
    if (!is_space(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != U' ') {
      out.push_back(U' ');
    }
  }
  return out;
}

char32_t single(const icu::UnicodeString& symbol) {
  const std::u32string text = to_utf32(symbol);
  return text.size() == 1 ? text[0] : 0;
}

}  // namespace

struct Speller::Formats {
  std::unique_ptr<icu::RuleBasedNumberFormat> numbers;  // null if the locale has no rules
  std::unique_ptr<icu::PluralRules> plurals;
  std::set<std::string, std::less<>> rule_sets;
  char32_t decimal_mark = 0, group_mark = 0;

  template <typename Value>
  std::u32string spell(Value value, std::string_view rules) const {
    if (!numbers) {
      const std::string digits = to_text(value);
      return std::u32string(digits.begin(), digits.end());
    }
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString out;
    icu::FieldPosition position(icu::FieldPosition::DONT_CARE);
    const auto known = rule_sets.find(rules);
    if (known == rule_sets.end()) {
      numbers->format(value, out, position, status);
    } else {
      numbers->format(value, icu::UnicodeString::fromUTF8(*known), out, position, status);
    }
    if (U_FAILURE(status)) {
      throw Error(ErrorCode::kInternal, "spelling a number failed: ", u_errorName(status));
    }
    return tidy(out);
  }
};

Speller::Speller(const std::string& locale) : formats_(std::make_unique<Formats>()) {
  const icu::Locale icu_locale(locale.c_str());
  UErrorCode status = U_ZERO_ERROR;
  formats_->plurals.reset(icu::PluralRules::forLocale(icu_locale, status));
  const icu::DecimalFormatSymbols symbols(icu_locale, status);
  if (U_FAILURE(status) || !formats_->plurals) {
    throw Error(ErrorCode::kInternal, "unicode number data are missing: ", u_errorName(status));
  }
  formats_->decimal_mark =
      single(symbols.getConstSymbol(icu::DecimalFormatSymbols::kDecimalSeparatorSymbol));
  formats_->group_mark =
      single(symbols.getConstSymbol(icu::DecimalFormatSymbols::kGroupingSeparatorSymbol));

  auto numbers =
      std::make_unique<icu::RuleBasedNumberFormat>(icu::URBNF_SPELLOUT, icu_locale, status);
  // Without rules of its own ICU falls back to those of the system's locale or to plain digits.
  if (U_FAILURE(status)) return;
  const icu::Locale actual = numbers->getLocale(ULOC_ACTUAL_LOCALE, status);
  if (U_FAILURE(status) || locale != actual.getLanguage()) return;
  for (int32_t i = 0; i < numbers->getNumberOfRuleSetNames(); ++i) {
    std::string name;
    numbers->getRuleSetName(i).toUTF8String(name);
    formats_->rule_sets.insert(std::move(name));
  }
  formats_->numbers = std::move(numbers);
}

Speller::Speller(Speller&&) noexcept = default;
Speller::~Speller() = default;

bool Speller::spells() const noexcept { return formats_->numbers != nullptr; }
char32_t Speller::decimal_mark() const noexcept { return formats_->decimal_mark; }
char32_t Speller::group_mark() const noexcept { return formats_->group_mark; }

std::u32string Speller::spell(int64_t value, std::string_view rules) const {
  return formats_->spell(value, rules);
}

std::u32string Speller::spell_decimal(double value, std::string_view rules) const {
  return formats_->spell(value, rules);
}

std::u32string Speller::plural(double value) const {
  return to_utf32(formats_->plurals->select(value));
}

}  // namespace kani
