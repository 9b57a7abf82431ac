// speller.h - numbers in words, by ICU's rule-based number format.
// Source: CLDR's spell-out rules (Debian 12: ICU 72, 100 locales).  Soft hyphens and zero-width
// spaces that the rules put in (German, Italian, Thai) are taken out, double spaces folded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kani {

/// Thread-safe: ICU's formats are used through const functions only, which ICU promises to be safe
/// ("thread-safe const APIs" in its user guide).
class Speller {
 public:
  /// Rules of `locale`; if ICU has none, spells() is false and every function returns digits.
  explicit Speller(const std::string& locale);
  Speller(Speller&&) noexcept;
  ~Speller();

  bool spells() const noexcept;

  /// `value` by the rule set `rules` ("%spellout-ordinal"); by the locale's default if that is
  /// empty or unknown to this ICU.
  std::u32string spell(int64_t value, std::string_view rules = {}) const;
  std::u32string spell_decimal(double value, std::string_view rules = {}) const;

  /// ICU's plural category of `value`: "one", "few", …, "other".
  std::u32string plural(double value) const;

  /// How the locale writes decimals and groups; 0 if that is no single code point.
  char32_t decimal_mark() const noexcept;
  char32_t group_mark() const noexcept;

 private:
  struct Formats;
  std::unique_ptr<Formats> formats_;
};

}  // namespace kani
