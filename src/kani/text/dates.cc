// dates.cc - each matcher reads at most a few dozen code points.
#include "kani/text/dates.h"

#include <array>

#include "kani/text/number.h"

namespace kani {

namespace {

struct Date {
  int day = 0, month = 0, year = 0;
  bool valid() const { return day >= 1 && day <= 31 && month >= 1 && month <= 12; }
};

/// Three groups of digits with the same mark between them.
struct Triple {
  std::array<std::string, 3> part;
  char32_t mark = 0;
  size_t end = 0;
};

std::optional<Triple> read_triple(const Scan& scan) {
  Triple triple;
  size_t at = scan.at;
  for (size_t i = 0; i < 3; ++i) {
    const auto digits = read_digits(scan, at, 4);
    if (!digits) return std::nullopt;
    triple.part[i] = *digits;
    at += digits->size();
    if (i == 2) break;
    const char32_t mark = scan.peek(at++);
    if (mark != U'-' && mark != U'/' && mark != U'.') return std::nullopt;
    if (i > 0 && mark != triple.mark) return std::nullopt;
    triple.mark = mark;
  }
  // "1/2/3/4" and "1.2.3.4" are no dates.
  if (scan.peek(at) == triple.mark && is_digit(scan.peek(at + 1))) return std::nullopt;
  triple.end = at;
  return triple;
}

std::optional<Date> to_date(const Triple& triple, DateOrder order) {
  const auto& [a, b, c] = triple.part;
  const int first = std::stoi(a), second = std::stoi(b), third = std::stoi(c);
  if (a.size() == 4 && b.size() <= 2 && c.size() <= 2) return Date{third, second, first};
  if (a.size() > 2 || b.size() > 2 || (c.size() != 4 && c.size() != 2)) return std::nullopt;
  if (c.size() == 2 && (triple.mark == U'-' || order == DateOrder::kYearMonthDay)) {
    return std::nullopt;
  }
  const int year = c.size() == 4 ? third : third + (third < 70 ? 2000 : 1900);
  const Date day_first{first, second, year}, month_first{second, first, year};
  const bool by_month = triple.mark != U'.' && order == DateOrder::kMonthDayYear;
  const Date& likely = by_month ? month_first : day_first;
  return likely.valid() ? likely : by_month ? day_first : month_first;
}

/// What stands behind hour and minute.
struct Half {
  std::u32string_view word;
  size_t end = 0;
};

bool says_ignoring_case(const Scan& scan, size_t at, std::u32string_view lower) {
  for (size_t i = 0; i < lower.size(); ++i) {
    if (to_lower(scan.peek(at + i)) != lower[i]) return false;
  }
  return !is_word_char(scan.peek(at + lower.size()));
}

/// "am", "PM", "p.m." behind a time.  The point that closes a sentence stays outside.
std::optional<Half> read_half(const Scan& scan, size_t at) {
  const Language& language = scan.language();
  if (language.am.empty()) return std::nullopt;
  if (scan.peek(at) == U' ') ++at;
  const auto half = [&](std::u32string_view word, size_t end) {
    if (word.ends_with(U'.'))
      return Half{scan.peek(end) == U'.' ? word.substr(0, word.size() - 1) : word, end};
    // The point of "p.m." closes the sentence too.
    const bool last = scan.before(end) == U'.' && end == scan.text.size();
    return Half{word, last ? end - 1 : end};
  };
  if (says_ignoring_case(scan, at, U"am")) return half(language.am, at + 2);
  if (says_ignoring_case(scan, at, U"pm")) return half(language.pm, at + 2);
  if (says_ignoring_case(scan, at, U"a.m.")) return half(language.am, at + 4);
  if (says_ignoring_case(scan, at, U"p.m.")) return half(language.pm, at + 4);
  return std::nullopt;
}

struct Clock {
  int hour = 0, minute = 0, second = -1;
  size_t end = 0;
};

std::optional<Clock> read_clock(const Scan& scan) {
  const Language& language = scan.language();
  const auto hour = read_digits(scan, scan.at, 2);
  if (!hour) return std::nullopt;
  size_t at = scan.at + hour->size();
  const char32_t mark = scan.peek(at);
  const bool point = mark == U'.' && !language.time_suffix.empty();
  if (mark == 0 || (mark != U':' && mark != language.time_mark && !point)) return std::nullopt;
  const auto minute = read_digits(scan, at + 1, 2);
  if (!minute || minute->size() != 2) return std::nullopt;
  at += 3;
  Clock clock{std::stoi(*hour), std::stoi(*minute), -1, at};
  if (mark == U':' && scan.peek(at) == U':') {
    const auto second = read_digits(scan, at + 1, 2);
    if (!second || second->size() != 2) return std::nullopt;
    clock.second = std::stoi(*second);
    clock.end = at + 3;
  }
  const char32_t next = scan.peek(clock.end);
  if (next == U':' && is_digit(scan.peek(clock.end + 1))) return std::nullopt;
  if (clock.hour > 24 || clock.minute > 59 || clock.second > 59) return std::nullopt;
  if (point && !scan.says_word(clock.end, std::u32string(U" ").append(language.time_suffix))) {
    return std::nullopt;
  }
  return clock;
}

std::u32string say_hour_and_minute(const Scan& scan, const Clock& clock, bool has_half) {
  const Language& language = scan.language();
  const TextTools& tools = scan.tools;
  const std::u32string hour = tools.speller.spell(clock.hour, language.time_hour);
  const std::u32string_view unit =
      noun_form(language, language.hour_word, tools.speller.plural(clock.hour));
  if (clock.minute == 0 && clock.second <= 0) {
    if (has_half) return hour;
    const bool afternoon = clock.hour >= 13 && !language.time_afternoon_hour.empty();
    return fill(afternoon ? language.time_afternoon_hour : language.time_full_hour,
                {{U'h', hour}, {U'u', unit}});
  }
  std::u32string minute = tools.speller.spell(clock.minute, language.numbering);
  if (clock.minute < 10 && !language.time_small_minute.empty()) {
    minute = fill(language.time_small_minute, {{U'm', minute}});
  }
  return fill(language.time_pattern, {{U'h', hour}, {U'm', minute}, {U'u', unit}});
}

/// "5 pm": an hour alone.
Match match_bare_hour(const Scan& scan) {
  const auto digits = read_digits(scan, scan.at, 2);
  if (!digits || std::stoi(*digits) < 1 || std::stoi(*digits) > 12) return std::nullopt;
  const auto half = read_half(scan, scan.at + digits->size());
  if (!half) return std::nullopt;
  std::u32string words = scan.tools.speller.spell(std::stoi(*digits), scan.language().time_hour);
  return Spoken{words.append(U" ").append(half->word), half->end};
}

bool is_group_separator(char32_t c) {
  return c == U' ' || c == U'-' || c == U'.' || c == U'/' || c == U'(' || c == U')';
}

/// Digit groups of a telephone number from `at` on, separators skipped.
struct Groups {
  std::vector<std::string> groups;
  size_t digits = 0;
  size_t end = 0;
};

Groups read_groups(const Scan& scan, size_t at) {
  constexpr size_t kMostDigits = 15;  // ITU-T E.164
  Groups out;
  while (true) {
    size_t start = at;
    while (start - at < 2 && is_group_separator(scan.peek(start))) ++start;
    const auto group = read_digits(scan, start, kMostDigits);
    if (!group || out.digits + group->size() > kMostDigits ||
        (start == at && !out.groups.empty())) {
      return out;
    }
    out.digits += group->size();
    out.groups.push_back(*group);
    at = start + group->size();
    out.end = at;
  }
}

/// The shapes that are taken for a telephone number.
bool looks_like_phone(const Scan& scan, const Groups& groups, size_t first) {
  const std::vector<std::string>& group = groups.groups;
  if (scan.peek(scan.at) == U'+') return groups.digits >= 7;
  const char32_t mark = scan.peek(first + group[0].size());
  const bool area = scan.peek(scan.at) == U'(';
  if (area) return group.size() >= 3 && group[0].size() >= 2 && groups.digits >= 7;
  if (group[0][0] == '0' && group[0].size() >= 2 && mark != U'.') {
    return group.size() >= 2 && groups.digits >= 7;
  }
  if (mark != U'-' && mark != U'.') return false;
  if (group.size() == 2) {  // not "200-1000"
    return mark == U'-' && group[0].size() == 3 && group[0][0] >= '2' && group[1].size() == 4 &&
           !group[1].ends_with("00");
  }
  return group.size() == 3 && group[0].size() == 3 && group[1].size() == 3 && group[2].size() == 4;
}

}  // namespace

std::string_view rules_after(const Scan& scan, size_t at, std::string_view otherwise) {
  const std::u32string_view word = scan.word_before(at);
  for (const Precursor& precursor : scan.language().precursors) {
    if (precursor.word == word) return precursor.rules;
  }
  return otherwise;
}

Match match_date(const Scan& scan) {
  const Language& language = scan.language();
  if (language.months.empty()) return std::nullopt;
  const auto triple = read_triple(scan);
  if (!triple) return std::nullopt;
  const auto date = to_date(*triple, language.date_order);
  if (!date || !date->valid()) return std::nullopt;
  const Speller& speller = scan.tools.speller;
  const std::u32string day =
      date->day == 1 && !language.first_day.empty()
          ? std::u32string(language.first_day)
          : speller.spell(date->day, rules_after(scan, scan.at, language.date_day));
  const std::u32string year = speller.spell(date->year, language.date_year);
  size_t end = triple->end;
  if (scan.peek(end) == U'T' && is_digit(scan.peek(end + 1))) ++end;
  return Spoken{
      fill(language.date_pattern, {{U'd', day},
                                   {U'm', language.months[static_cast<size_t>(date->month - 1)]},
                                   {U'y', year}}),
      end};
}

Match match_time(const Scan& scan) {
  const Language& language = scan.language();
  if (language.time_pattern.empty()) return std::nullopt;
  const auto clock = read_clock(scan);
  if (!clock) return match_bare_hour(scan);
  const auto half = read_half(scan, clock->end);
  Spoken spoken{say_hour_and_minute(scan, *clock, half.has_value()), clock->end};
  if (clock->second > 0) {
    const std::u32string seconds = scan.tools.speller.spell(clock->second, language.numbering);
    spoken.words += fill(language.time_seconds, {{U's', seconds}});
  }
  if (half) {
    spoken.words.append(U" ").append(half->word);
    spoken.end = half->end;
  } else if (scan.peek(spoken.end) == U' ' &&
             scan.says_word(spoken.end + 1, language.time_suffix)) {
    spoken.end += 1 + language.time_suffix.size();
  }
  return spoken;
}

Match match_phone(const Scan& scan) {
  const char32_t c = scan.peek(scan.at);
  const size_t first = c == U'+' || c == U'(' ? scan.at + 1 : scan.at;
  if (!is_digit(scan.peek(first))) return std::nullopt;
  const Groups groups = read_groups(scan, first);
  if (groups.groups.empty() || is_digit(scan.peek(groups.end)) ||
      !looks_like_phone(scan, groups, first)) {
    return std::nullopt;
  }
  Spoken spoken{{}, groups.end};
  if (c == U'+' && !scan.language().plus.empty()) {
    spoken.words.append(scan.language().plus).append(scan.language().word_space);
  }
  for (size_t i = 0; i < groups.groups.size(); ++i) {
    if (i > 0) spoken.words += U", ";
    spoken.words += say_digits(scan.tools, groups.groups[i]);
  }
  return spoken;
}

Match match_version(const Scan& scan) {
  constexpr size_t kMostParts = 6, kMostDigits = 5;
  std::u32string_view dot = scan.language().decimal_word;
  for (const Symbol& symbol : scan.language().url_symbols) {
    if (symbol.sign == U'.') dot = symbol.name;
  }
  if (dot.empty()) return std::nullopt;
  Spoken spoken;
  size_t at = scan.at, parts = 0;
  bool groups_of_three = true;  // "1.234.567" where the point groups
  while (parts < kMostParts) {
    const auto digits = read_digits(scan, at, kMostDigits);
    if (!digits) return std::nullopt;
    if (parts > 0) {
      groups_of_three = groups_of_three && digits->size() == 3;
      spoken.words.append(U" ").append(dot).append(U" ");
    }
    Number number;
    number.integer = *digits;
    spoken.words += say_number(scan.tools, number);
    at += digits->size();
    ++parts;
    if (scan.peek(at) != U'.' || !is_digit(scan.peek(at + 1))) break;
    ++at;
  }
  const bool a_number = groups_of_three && scan.tools.group_mark == U'.' && parts != 4;
  if (parts < 3 || a_number) return std::nullopt;
  if (scan.peek(at) == U'.' && is_digit(scan.peek(at + 1))) return std::nullopt;
  spoken.end = at;
  return spoken;
}

}  // namespace kani
