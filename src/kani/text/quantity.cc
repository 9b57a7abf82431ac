// quantity.cc - reads an amount from left to right, then says it as the first kind that fits.
#include "kani/text/quantity.h"

#include <algorithm>

#include "kani/text/dates.h"
#include "kani/text/number.h"

namespace kani {

namespace {

bool is_minus(char32_t c) { return c == U'-' || c == 0x2212; }

bool is_range_mark(const Scan& scan, size_t at) {
  const char32_t c = scan.peek(at);
  return c != 0 && scan.language().range_marks.find(c) != std::u32string_view::npos;
}

/// Where a minus sign is one and not a hyphen.
bool minus_may_stand(char32_t before) {
  return before == 0 || before == U' ' || is_opening(before) ||
         (is_east_asian(before) && !is_word_char(before)) ||
         std::u32string_view(U"=<>~≈±×*/:,").find(before) != std::u32string_view::npos;
}

struct CurrencyAt {
  const Currency* currency = nullptr;
  size_t end = 0;
};

/// The currency whose sign or code stands at `at`; the longest ("US$" before "$").
CurrencyAt currency_at(const Scan& scan, size_t at) {
  CurrencyAt best;
  const auto take = [&](const Currency& currency, std::u32string_view written, bool fits) {
    if (fits && at + written.size() > best.end) best = {&currency, at + written.size()};
  };
  for (const Currency& currency : scan.language().currencies) {
    const bool is_word = !currency.sign.empty() && is_letter(currency.sign.back());
    take(currency, currency.sign,
         scan.says(at, currency.sign) &&
             (!is_word || !is_letter(scan.peek(at + currency.sign.size()))));
    take(currency, currency.code, scan.says_word(at, currency.code));
  }
  return best;
}

struct Amount {
  bool negative = false;
  const Currency* currency = nullptr;
  Number number;
  size_t end = 0;  // behind what was read so far
};

/// Sign and currency before the number, the number.
std::optional<Amount> read_amount(const Scan& scan, size_t at) {
  Amount amount;
  if (is_minus(scan.peek(at)) && minus_may_stand(scan.before(at))) {
    amount.negative = true;
    ++at;
  }
  const CurrencyAt prefix = is_word_char(scan.before(at)) ? CurrencyAt{} : currency_at(scan, at);
  if (prefix.currency) {
    amount.currency = prefix.currency;
    at = prefix.end + (scan.peek(prefix.end) == U' ' ? 1 : 0);
    if (!amount.negative && is_minus(scan.peek(at))) {  // "$-5"
      amount.negative = true;
      ++at;
    }
  }
  const auto number = read_number(scan, at);
  if (!number) return std::nullopt;
  amount.number = *number;
  amount.end = number->end;
  return amount;
}

bool is_year(const Scan& scan, const Number& number) {
  return !scan.language().year.empty() && number.whole() && !number.grouped &&
         number.integer.size() == 4 && number.value() >= 1100 && number.value() < 2100;
}

/// The unit that stands at `at` or behind one space there; the longest.
const Unit* unit_at(const Scan& scan, size_t at, size_t& end) {
  const Unit* best = nullptr;
  const bool space = scan.peek(at) == U' ';
  const size_t start = space ? at + 1 : at;
  for (const Unit& unit : scan.language().units) {
    if (space && unit.attached_only) continue;
    const bool fits = is_letter(unit.sign.back()) ? scan.says_word(start, unit.sign)
                                                  : scan.says(start, unit.sign);
    if (fits && (!best || unit.sign.size() > best->sign.size())) best = &unit;
  }
  if (best) end = start + best->sign.size();
  return best;
}

/// Where a magnitude of one letter can stand.
enum class Letters { kAttached, kAny };

const Magnitude* magnitude_at(const Scan& scan, size_t at, Letters letters, size_t& end) {
  const bool space = scan.peek(at) == U' ';
  const size_t start = space ? at + 1 : at;
  for (const Magnitude& magnitude : scan.language().magnitudes) {
    if (magnitude.letter && space && letters == Letters::kAttached) continue;
    const bool fits =
        is_letter(magnitude.written.back()) && !is_east_asian(magnitude.written.back())
            ? scan.says_word(start, magnitude.written)
            : scan.says(start, magnitude.written);
    if (fits) {
      end = start + magnitude.written.size();
      return &magnitude;
    }
  }
  return nullptr;
}

/// Reads numbers of one kind and says them.
class QuantityMatcher {
 public:
  QuantityMatcher(const Scan& scan, const Amount& amount)
      : scan_(scan), tools_(scan.tools), language_(scan.language()), amount_(amount) {}

  Match run() {
    read_range();
    Match match = second_ ? std::nullopt : decade();
    if (!match) match = money();
    if (!match && !second_) match = follower();
    if (!match) match = unit();
    if (!match && !second_) match = ordinal();
    if (!match) match = alone();
    return sign(*match);
  }

 private:
  std::u32string say(const Number& number) const {
    if (is_year(scan_, number)) return tools_.speller.spell(number.value(), language_.year);
    return say_number(tools_, number);
  }

  /// What is put before the words of the last number.
  std::u32string prefix() const {
    if (!second_) return {};
    return say(amount_.number).append(language_.range_word);
  }

  /// The number that decides the form of what is counted.
  const Number& last() const { return second_ ? *second_ : amount_.number; }
  size_t end() const { return last().end; }

  /// "10-20", "10 – 20", "1990-95", "$10-$20"; not "3-2", "1-2-3", "2024-03".
  void read_range() {
    const Number& first = amount_.number;
    const bool chained =
        scan_.at > 1 && is_range_mark(scan_, scan_.at - 1) && is_digit(scan_.text[scan_.at - 2]);
    if (language_.range_word.empty() || first.is_code() || chained) return;
    size_t at = first.end;
    if (scan_.peek(at) == U' ' && scan_.peek(at + 1) == U'–' && scan_.peek(at + 2) == U' ') {
      at += 3;
    } else if (is_range_mark(scan_, at)) {
      at += 1;
    } else {
      return;
    }
    if (amount_.currency && scan_.says(at, amount_.currency->sign))
      at += amount_.currency->sign.size();
    const auto second = read_number(scan_, at);
    if (!second || second->is_code()) return;
    if (is_range_mark(scan_, second->end) && is_digit(scan_.peek(second->end + 1))) return;
    const bool short_year = is_year(scan_, first) && second->integer.size() == 2 &&
                            second->value() > first.value() % 100;
    if (first.amount() < second->amount() || short_year) second_ = *second;
  }

  Match sign(Spoken spoken) const {
    if (amount_.negative) spoken.words.insert(0, tools_.minus);
    return spoken;
  }

  Match money() const {
    size_t number_end = end();
    size_t magnitude_end = 0;
    const Magnitude* magnitude = magnitude_at(
        scan_, number_end, amount_.currency ? Letters::kAttached : Letters::kAny, magnitude_end);
    if (magnitude && magnitude->letter && !amount_.currency &&
        !suffix_currency(magnitude_end).currency) {
      magnitude = nullptr;  // "5 M", but "5 M€"
    }
    size_t money_end = magnitude ? magnitude_end : number_end;
    const Currency* currency = amount_.currency;
    if (!currency) {
      const CurrencyAt suffix = suffix_currency(money_end);
      currency = suffix.currency;
      if (currency) money_end = suffix.end;
    }
    if (!currency && !magnitude) return std::nullopt;
    if (!currency)
      return Spoken{prefix() + say_counted(tools_, last(), magnitude->name), money_end};
    return Spoken{prefix() + say_money(*currency, magnitude), money_end};
  }

  CurrencyAt suffix_currency(size_t at) const {
    return currency_at(scan_, scan_.peek(at) == U' ' ? at + 1 : at);
  }

  /// "1980s", "'80s", "the 80s", "80er": the number's last word goes on.
  Match decade() const {
    const Number& number = amount_.number;
    const std::u32string_view suffix = language_.decade_suffix;
    if (!number.whole() || amount_.currency || number.value() % 10 != 0 || !is_decade() ||
        !scan_.says_word(number.end, suffix)) {
      return std::nullopt;
    }
    std::u32string words = tools_.speller.spell(number.value(), language_.year);
    if (words.back() == U'y') {
      words.pop_back();
      words += U"ie";
    }
    return Spoken{words.append(suffix), number.end + suffix.size()};
  }

  /// "80s" alone is a time.
  bool is_decade() const {
    const Number& number = amount_.number;
    if (is_year(scan_, number)) return true;
    if (number.integer.size() != 2 || number.value() < 20) return false;
    const char32_t before = scan_.before(scan_.at);
    if (before == U'\'' || before == 0x2019) return true;
    const std::u32string_view word = scan_.word_before(scan_.at);
    const auto& words = language_.decade_precursors;
    return words.empty() || std::find(words.begin(), words.end(), word) != words.end();
  }

  std::u32string say_money(const Currency& currency, const Magnitude* magnitude) const {
    const Number& number = last();
    if (magnitude) {
      return say_counted(tools_, number, magnitude->name)
          .append(language_.word_space)
          .append(noun_form(language_, currency.major, language_.magnitude_plural));
    }
    if (currency.minor.forms.empty() || number.fraction.size() != 2 || second_) {
      return say_counted(tools_, number, currency.major);
    }
    const Number whole = make_number(number.value());
    const Number minor = make_number(std::stoi(number.fraction));
    if (minor.value() == 0) return say_counted(tools_, whole, currency.major);
    if (whole.value() == 0) return say_counted(tools_, minor, currency.minor);
    return say_counted(tools_, whole, currency.major)
        .append(language_.money_joiner)
        .append(say_counted(tools_, minor, currency.minor));
  }

  Match unit() const {
    size_t unit_end = 0;
    const Unit* found = unit_at(scan_, end(), unit_end);
    if (!found) return std::nullopt;
    return Spoken{prefix() + say_counted(tools_, last(), found->name), unit_end};
  }

  /// "3rd", "5º", "3. Mai", "15 марта", "March 15", "5-класс".
  Match ordinal() const {
    const Number& number = amount_.number;
    if (!number.whole() || number.integer.size() > 9) return std::nullopt;
    const auto spell = [&](std::string_view rules, size_t ordinal_end) {
      return Spoken{tools_.speller.spell(number.value(), rules), ordinal_end};
    };
    for (const OrdinalSuffix& suffix : language_.ordinal_suffixes) {
      if (scan_.says_word(number.end, suffix.suffix)) {
        return spell(suffix.rules, number.end + suffix.suffix.size());
      }
    }
    if (!language_.hyphen_ordinal.empty() && scan_.peek(number.end) == U'-' &&
        is_letter(scan_.peek(number.end + 1))) {
      return spell(language_.hyphen_ordinal, number.end + 1);
    }
    return number.integer.size() <= 2 ? day_of_month(spell) : std::nullopt;
  }

  template <typename Spell>
  Match day_of_month(const Spell& spell) const {
    const Number& number = amount_.number;
    const size_t end = number.end;
    if (!language_.ordinal_dot.empty() && scan_.peek(end) == U'.' && scan_.peek(end + 1) == U' ' &&
        is_letter(scan_.peek(end + 2))) {
      const std::string_view rules = rules_after(scan_, scan_.at, {});
      if (!rules.empty()) return spell(rules, end + 1);
      if (month_at(end + 2)) return spell(language_.ordinal_dot, end + 1);
    }
    if (number.value() < 1 || number.value() > 31) return std::nullopt;
    const bool month_follows = scan_.peek(end) == U' ' && month_at(end + 1);
    if (month_follows && number.value() == 1 && !language_.first_day.empty()) {
      return Spoken{std::u32string(language_.first_day), end};
    }
    if (month_follows && !language_.day_before_month.empty()) {
      return spell(language_.day_before_month, end);
    }
    if (!language_.day_after_month.empty() && is_month(scan_.word_before(scan_.at))) {
      return spell(language_.day_after_month, end);
    }
    return std::nullopt;
  }

  bool is_month(std::u32string_view word) const {
    for (const std::u32string_view month : language_.months) {
      if (month == word) return true;
    }
    return false;
  }

  bool month_at(size_t at) const {
    for (const std::u32string_view month : language_.months) {
      if (scan_.says_word(at, month)) return true;
    }
    return false;
  }

  /// The noun behind the number chooses its rule set: "в 2024 году", "3개".
  Match follower() const {
    const Number& number = amount_.number;
    if (!number.whole() || number.is_code()) return std::nullopt;
    const size_t at = scan_.peek(number.end) == U' ' ? number.end + 1 : number.end;
    const Follower* best = nullptr;
    for (const Follower& candidate : language_.followers) {
      if (best && candidate.word.size() <= best->word.size()) continue;
      // Nouns of Chinese and Korean go on without a space.
      const bool cased = to_upper(candidate.word.back()) != candidate.word.back();
      if (cased ? scan_.says_word(at, candidate.word) : scan_.says(at, candidate.word)) {
        best = &candidate;
      }
    }
    if (!best || number.value() < best->least || number.value() > best->most) return std::nullopt;
    return Spoken{tools_.speller.spell(number.value(), best->rules), number.end};
  }

  Match alone() const {
    if (!second_ && noun_follows(amount_.number.end)) {
      return Spoken{say_number(tools_, amount_.number, language_.cardinal[0]), end()};
    }
    return Spoken{prefix() + say(last()), end()};
  }

  /// "1 libro", "21 Bücher": the number takes the form that stands before nouns.  Short words in
  /// the Romance languages are conjunctions and prepositions.
  bool noun_follows(size_t at) const {
    if (language_.cardinal[0].empty() || is_year(scan_, amount_.number) || scan_.peek(at) != U' ') {
      return false;
    }
    if (language_.nouns_capitalized) return is_upper(scan_.peek(at + 1));
    for (size_t i = 1; i <= 4; ++i) {
      if (!is_letter(scan_.peek(at + i))) return false;
    }
    return true;
  }

  const Scan& scan_;
  const TextTools& tools_;
  const Language& language_;
  Amount amount_;
  std::optional<Number> second_;  // "10-20": 20
};

}  // namespace

Match match_quantity(const Scan& scan, bool attached) {
  const auto amount = read_amount(scan, scan.at);
  if (!amount) return std::nullopt;
  if (!attached) return QuantityMatcher(scan, *amount).run();
  return Spoken{say_number(scan.tools, amount->number), amount->end};
}

bool begins_quantity(const Scan& scan, size_t at) {
  const char32_t c = scan.peek(at);
  if (is_digit(c)) return true;
  if (is_minus(c)) return minus_may_stand(scan.before(at));
  if (is_word_char(scan.before(at))) return false;
  return currency_at(scan, at).currency != nullptr;
}

}  // namespace kani
