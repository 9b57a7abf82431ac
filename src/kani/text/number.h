// number.h - numbers as they are written, and how they are said.
// Not here: what stands around them (quantity.h), dates, times, telephone numbers (dates.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kani/text/scan.h"

namespace kani {

/// At most 18 digits on each side of the decimal mark, so that everything fits 64 bits; longer
/// strings of digits are no numbers and are read digit by digit.
inline constexpr size_t kMostNumberDigits = 18;

struct Number {
  std::string integer, fraction;  // ASCII digits; integer is not empty
  bool grouped = false;           // "1,234"
  size_t end = 0;

  bool whole() const { return fraction.empty(); }
  int64_t value() const;  // of the integer part
  double amount() const;  // with the fraction
  /// Not a quantity but a code: leading zeros, or ten digits and more in one piece.
  bool is_code() const { return whole() && !grouped && (integer.size() >= 10 || leading_zero()); }
  bool leading_zero() const { return integer.size() > 1 && integer[0] == '0'; }
};

/// The digits from `at` on, of any script, as ASCII; nothing if there are none or more than `most`.
std::optional<std::string> read_digits(const Scan& scan, size_t at, size_t most);

/// A number in the language's way of writing it.  Group marks count only between groups of three.
std::optional<Number> read_number(const Scan& scan, size_t at);

/// "one zero five".
std::u32string say_digits(const TextTools& tools, std::string_view digits);

/// `rules`: ICU's rule set for whole numbers; empty = the language's way for a number that stands
/// alone.
std::u32string say_number(const TextTools& tools, const Number& number,
                          std::string_view rules = {});

/// The rule set for a number before a noun of this gender.
std::string_view cardinal_rules(const Language& language, Gender gender);

/// The form of a noun for one of ICU's plural categories, without the number.
std::u32string_view noun_form(const Language& language, const Noun& noun,
                              std::u32string_view category);

/// The number with the form of the noun that goes with it: "three dollars", "один доллар".
std::u32string say_counted(const TextTools& tools, const Number& number, const Noun& noun);

/// A number made of a value, for minutes, cents and the like.
Number make_number(int64_t value);

}  // namespace kani
