// language.h - what the front end knows about one language: names of signs and units, order of
// dates, abbreviations.  Data only; one table per language in languages/. How numbers are spelled
// comes from ICU's rule sets (speller.h), which the tables name; letters, words and grammar beyond
// that are not known here.  A new language is a new file and one line in language.cc; without a
// table a language gets numbers by ICU and keeps its signs.
//
// Conventions: strings are in NFC.  An empty string or table means "the language does nothing
// special".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kani {

enum class Gender : uint8_t { kMasculine, kFeminine, kNeuter };

/// What is counted: forms in the order of Language::plurals, separated by '|'; if there are fewer,
/// the last one serves the rest.  A form stands behind its number, unless it says "#" where the
/// number goes, or "=" at its start: then the form says the number too.
struct Noun {
  std::u32string_view forms = {};
  Gender gender = Gender::kMasculine;
};

struct Unit {
  std::u32string_view sign = {};
  Noun name = {};
  /// "5in" is a length, "5 in" is not.
  bool attached_only = false;
};

struct Currency {
  std::u32string_view sign = {};  // before or behind the number
  std::u32string_view code = {};  // ISO 4217, the same
  Noun major = {}, minor = {};    // minor: a hundredth; empty = the currency has none
};

/// A word or letter between number and currency: "$5 million", "$5M", "5 Mio. €".
struct Magnitude {
  std::u32string_view written = {};
  Noun name = {};
  bool letter = false;  // written against the number and only with a currency
};

enum class SymbolPlace : uint8_t {
  kAnywhere,
  kBeforeNumber,    // "#5"
  kBetweenNumbers,  // "2+2", "2 + 2"
  kBeforeWord,      // "#tag"
  kBetweenWords,    // "and/or": letters or digits on both sides, no spaces
  kAfterWord,       // "C#": a letter before, none behind
  kAfterQuantity,   // "$5/day": between an amount and a letter
};

/// The first entry that fits the place is taken; a sign without one is not spoken.
struct Symbol {
  char32_t sign = {};
  std::u32string_view name = {};
  SymbolPlace place = SymbolPlace::kAnywhere;
};

enum class AbbreviationPlace : uint8_t {
  kAnywhere,
  kBeforeName,    // a capital follows
  kAfterName,     // a capitalized word stands before and none follows
  kBeforeNumber,  // a digit follows
  kAfterNumber,   // a digit stands before
};

/// `written` includes its points.  The first entry that fits is taken.
struct Abbreviation {
  std::u32string_view written = {};
  std::u32string_view spoken = {};  // empty = stays as it is, but ends no sentence
  AbbreviationPlace place = AbbreviationPlace::kAnywhere;
  bool may_end_sentence = false;  // "etc." before a capital ends one, "Dr." never
};

/// Numbers from `least` to `most` before `word` are spelled with this rule set.
struct Follower {
  std::u32string_view word = {};
  std::string_view rules = {};
  int least = 0, most = 9999;
};

struct OrdinalSuffix {
  std::u32string_view suffix = {};  // written against the number
  std::string_view rules = {};
};

/// The word before an ordinal or a date decides its ending ("am 3. Mai").
struct Precursor {
  std::u32string_view word = {};
  std::string_view rules = {};
};

struct FractionName {
  int denominator = {};
  Noun name = {};
};

enum class DateOrder : uint8_t { kDayMonthYear, kMonthDayYear, kYearMonthDay };

/// How the digits behind the decimal mark are said.
enum class FractionStyle : uint8_t {
  kDigits,  // "three point one four"
  kNumber,  // "trois virgule quatorze"; digit by digit from three digits or a leading zero on
  kRules,  // ICU's rules say the whole number: "три целых четырнадцать сотых"
};

struct Language {
  std::string_view tag = {};  // ISO 639, as ICU's locales are called

  // Numbers as they are written.  0 = as ICU's symbols of the locale say.
  char32_t decimal_mark = 0;
  char32_t group_mark = 0;
  bool space_groups = false;  // "1 234 567" is one number
  char32_t apostrophe_group = 0;

  // Numbers as they are said.
  std::string_view numbering = {};  // rule set of a number that stands alone; empty = ICU's default
  std::string_view cardinal[3] = {};  // before a noun, by Gender; empty = the first, then numbering
  std::string_view year = {};         // of 1100 … 2099 standing alone; empty = like any number
  bool nouns_capitalized = false;     // "1 Haus", but "1 mal"
  std::u32string_view plurals = {};   // ICU's plural categories in the order of Noun::forms, by '|'
  std::u32string_view word_space = U" ";  // between the words of a number; Chinese has none
  FractionStyle fraction_style = FractionStyle::kDigits;
  std::u32string_view decimal_word = {}, minus = {}, plus = {};
  std::u32string_view range_word = {};      // "10-20", with its spaces; empty = the hyphen stays
  std::u32string_view range_marks = U"-–";  // between its numbers
  std::u32string_view ratio_word = {};      // "16:9"
  std::u32string_view decade_suffix = {};   // written: "1980s", "80er"
  std::span<const std::u32string_view> decade_precursors =
      {};  // "the 80s", not "wait 80s"; none = any
  std::span<const OrdinalSuffix> ordinal_suffixes = {};
  std::string_view ordinal_dot = {};  // rule set of "3." before a month or after a precursor
  std::span<const Precursor> precursors = {};
  std::string_view hyphen_ordinal = {};  // rule set of "5-" before a letter
  std::span<const Follower> followers = {};
  std::span<const FractionName> fractions = {};
  std::u32string_view fraction_pattern = {};  // {n} numerator, {d} denominator
  std::u32string_view mixed_joiner = {};      // "1 1/2"

  // Money and measures.
  std::span<const Currency> currencies = {};
  std::u32string_view money_joiner = {};  // between major and minor, with its spaces
  std::span<const Magnitude> magnitudes = {};
  std::u32string_view magnitude_plural = U"other";  // category of what there are millions of
  std::span<const Unit> units = {};

  // Dates and times.
  DateOrder date_order = DateOrder::kDayMonthYear;
  std::span<const std::u32string_view> months = {};  // twelve as in a date, then other spellings
  std::u32string_view date_pattern = {};             // {d} {m} {y}
  std::string_view date_day = {}, date_year = {};    // rule sets
  std::u32string_view first_day = {};                // instead of day 1
  std::string_view day_before_month = {};            // rule set: "15 марта"
  std::string_view day_after_month = {};             // "March 15"
  std::u32string_view time_pattern = {};             // {h} {m}, {u} the hour_word
  std::u32string_view time_full_hour = {};           // {h}, {u}
  std::u32string_view time_afternoon_hour = {};  // the same from 13:00 on; empty = time_full_hour
  std::u32string_view time_small_minute = {};    // {m} below ten; empty = {m} as it is
  std::u32string_view time_seconds = {};         // {s}, put behind, with its space
  std::string_view time_hour = {};               // rule set
  Noun hour_word = {};
  char32_t time_mark = 0;                // besides the colon: "10h30"
  std::u32string_view time_suffix = {};  // written behind a time that the pattern says too
  std::u32string_view am = {}, pm = {};  // spoken forms of "5 am", "5PM", "5 p.m."

  // Signs and abbreviations.
  std::span<const Symbol> symbols = {};
  std::span<const Symbol> url_symbols = {};  // inside addresses
  std::u32string_view letter_words = {};     // capitals that are words: "It was I." ends a sentence
  std::span<const Abbreviation> abbreviations = {};
};

/// The table of a language, or nullptr.  `tag` is lower case ("en").
const Language* find_language(std::string_view tag);

/// The part of "en_us", "EN-nyork" that decides, in lower case; "en" for an empty one, "und" for
/// what is no language tag.
std::string language_of(std::string_view tag);

}  // namespace kani
