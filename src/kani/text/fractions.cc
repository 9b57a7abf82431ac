// fractions.cc - fractions with a slash and the signs that Unicode has for them.
#include "kani/text/fractions.h"

#include "kani/text/number.h"

namespace kani {

namespace {

struct Fraction {
  int numerator = 0, denominator = 0;
  size_t end = 0;
};

/// ½ and its like.
std::optional<Fraction> read_vulgar(const Scan& scan, size_t at) {
  struct Vulgar {
    char32_t sign;
    int numerator, denominator;
  };
  static constexpr Vulgar kVulgar[] = {
      {U'½', 1, 2}, {U'⅓', 1, 3}, {U'⅔', 2, 3}, {U'¼', 1, 4}, {U'¾', 3, 4},
      {U'⅕', 1, 5}, {U'⅖', 2, 5}, {U'⅗', 3, 5}, {U'⅘', 4, 5}, {U'⅙', 1, 6},
      {U'⅚', 5, 6}, {U'⅛', 1, 8}, {U'⅜', 3, 8}, {U'⅝', 5, 8}, {U'⅞', 7, 8},
  };
  for (const Vulgar& vulgar : kVulgar) {
    if (vulgar.sign == scan.peek(at)) return Fraction{vulgar.numerator, vulgar.denominator, at + 1};
  }
  return std::nullopt;
}

/// "3/4": below one, and nothing goes on around it.
std::optional<Fraction> read_slashed(const Scan& scan, size_t at) {
  const auto numerator = read_digits(scan, at, 2);
  if (!numerator || scan.before(at) == U'/') return std::nullopt;
  const size_t slash = at + numerator->size();
  if (scan.peek(slash) != U'/' && scan.peek(slash) != 0x2044) return std::nullopt;
  const auto denominator = read_digits(scan, slash + 1, 3);
  if (!denominator) return std::nullopt;
  const Fraction fraction{std::stoi(*numerator), std::stoi(*denominator),
                          slash + 1 + denominator->size()};
  const char32_t next = scan.peek(fraction.end);
  if (is_word_char(next) || next == U'/') return std::nullopt;
  if (fraction.numerator < 1 || fraction.numerator >= fraction.denominator) return std::nullopt;
  return fraction;
}

std::optional<std::u32string> say_fraction(const TextTools& tools, const Fraction& fraction) {
  const Language& language = tools.language;
  for (const FractionName& name : language.fractions) {
    if (name.denominator == fraction.denominator) {
      return say_counted(tools, make_number(fraction.numerator), name.name);
    }
  }
  if (language.fraction_pattern.empty()) return std::nullopt;
  return fill(language.fraction_pattern,
              {{U'n', tools.speller.spell(fraction.numerator, language.numbering)},
               {U'd', tools.speller.spell(fraction.denominator, language.numbering)}});
}

}  // namespace

Match match_fraction(const Scan& scan) {
  const TextTools& tools = scan.tools;
  if (const auto slashed = read_slashed(scan, scan.at)) {
    const auto words = say_fraction(tools, *slashed);
    return words ? Match(Spoken{*words, slashed->end}) : std::nullopt;
  }
  if (const auto vulgar = read_vulgar(scan, scan.at)) {
    const auto words = say_fraction(tools, *vulgar);
    return words ? Match(Spoken{*words, vulgar->end}) : std::nullopt;
  }
  const auto digits = read_digits(scan, scan.at, 4);
  if (!digits || tools.language.mixed_joiner.empty()) return std::nullopt;
  const size_t at = scan.at + digits->size();
  std::optional<Fraction> fraction = read_vulgar(scan, at);
  if (!fraction && scan.peek(at) == U' ') {
    fraction = read_slashed(scan, at + 1);
    if (!fraction) fraction = read_vulgar(scan, at + 1);
  }
  if (!fraction) return std::nullopt;
  const auto words = say_fraction(tools, *fraction);
  if (!words) return std::nullopt;
  Number whole;
  whole.integer = *digits;
  return Spoken{say_number(tools, whole).append(tools.language.mixed_joiner).append(*words),
                fraction->end};
}

}  // namespace kani
