// verbalize.cc - walks over a sentence, asks the matchers, copies what none of them takes.
#include "kani/text/verbalize.h"

#include "kani/text/address.h"
#include "kani/text/clean.h"
#include "kani/text/dates.h"
#include "kani/text/fractions.h"
#include "kani/text/number.h"
#include "kani/text/quantity.h"
#include "kani/text/signs.h"

namespace kani {

namespace {

/// Writes words so that they stand apart from their neighbours.
class Writer {
 public:
  explicit Writer(MappedText& out) : out_(out), start_(out.size()) {}

  void words(std::u32string_view words, SourceRange from) {
    if (words.empty()) return;
    const char32_t before = last();
    const bool listed = before == U',' || before == U';' || before == U':';
    if (listed || apart(before, words.front())) out_.append(U' ', {from.begin, from.begin});
    out_.append(words, from);
    glue_ = true;
    gap_ = apart_ = false;
  }

  /// The name of a sign: apart from whatever stands beside it, as far as the script has spaces.
  void name(std::u32string_view name, SourceRange from) {
    const char32_t before = last();
    const bool spaced = !name.empty() && !is_east_asian(name.front());
    if (spaced && before != 0 && before != U' ' && before != U'(')
      out_.append(U' ', {from.begin, from.begin});
    words(name, from);
    apart_ = spaced;
  }

  void copy(char32_t c, SourceRange from) {
    if (c == U' ' && (last() == U' ' || last() == 0)) return;
    const bool mark = std::u32string_view(U",.;:!?)").find(c) != std::u32string_view::npos;
    if ((glue_ && apart(last(), c)) || (apart_ && c != U' ' && !mark)) {
      out_.append(U' ', {from.begin, from.begin});
    }
    if (gap_ && mark) trim();
    out_.append(c, from);
    glue_ = gap_ = apart_ = false;
  }

  /// A space in place of something that is not spoken; none before a mark that belongs to the word.
  void gap(SourceRange from) {
    copy(U' ', from);
    gap_ = true;
  }

  void trim() {
    while (out_.size() > start_ && out_.text.back() == U' ') {
      out_.text.pop_back();
      out_.source.pop_back();
    }
  }

 private:
  char32_t last() const { return out_.size() > start_ ? out_.text.back() : 0; }
  static bool apart(char32_t a, char32_t b) {
    return is_word_char(a) && is_word_char(b) && !is_east_asian(a) && !is_east_asian(b);
  }

  MappedText& out_;
  size_t start_;
  bool glue_ = false;   // the last thing written was words of ours
  bool gap_ = false;    // … a space of ours
  bool apart_ = false;  // … the name of a sign
};

class Verbalizer {
 public:
  Verbalizer(const TextTools& tools, const MappedText& in, size_t begin, size_t end,
             MappedText& out)
      : scan_{tools, std::u32string_view(in.text).substr(begin, end - begin)},
        sources_(in.source.data() + begin),
        addresses_(find_addresses(scan_.text)),
        writer_(out) {}

  void run() {
    size_t& at = scan_.at;
    while (at < scan_.text.size()) {
      if (address() || quantity() || word() || run_of_signs()) continue;
      sign();
    }
    writer_.trim();
  }

 private:
  SourceRange source(size_t end) const { return {sources_[scan_.at].begin, sources_[end - 1].end}; }

  void take(const Spoken& spoken) {
    writer_.words(spoken.words, source(spoken.end));
    scan_.at = spoken.end;
  }

  void copy_one() {
    writer_.copy(scan_.text[scan_.at], sources_[scan_.at]);
    ++scan_.at;
  }

  bool address() {
    while (next_address_ < addresses_.size() && addresses_[next_address_].begin < scan_.at) {
      ++next_address_;
    }
    if (next_address_ == addresses_.size()) return false;
    const Span span = addresses_[next_address_];
    if (span.begin != scan_.at) return false;
    take({say_address(scan_.tools, scan_.text.substr(span.begin, span.size())), span.end});
    return true;
  }

  bool quantity() {
    const size_t at = scan_.at;
    const char32_t c = scan_.text[at];
    const bool attached = is_letter(scan_.before(at)) && quantity_end_ != at;
    if (is_digit(c) && digit_string()) return true;
    Match match;
    if (!attached && (is_digit(c) || c == U'+' || c == U'(')) match = group_of_digits();
    if (!match && !attached && !is_letter(c)) match = match_fraction(scan_);
    if (!match && begins_quantity(scan_, at)) match = match_quantity(scan_, attached);
    if (!match) return false;
    take(*match);
    quantity_end_ = scan_.at;
    return true;
  }

  Match group_of_digits() const {
    const bool digit = is_digit(scan_.text[scan_.at]);
    if (Match match = digit ? match_date(scan_) : std::nullopt) return match;
    if (Match match = match_phone(scan_)) return match;
    if (!digit) return std::nullopt;
    if (Match match = match_time(scan_)) return match;
    return match_version(scan_);
  }

  /// More digits than a number has: one by one, each with its own source.
  bool digit_string() {
    if (read_digits(scan_, scan_.at, kMostNumberDigits)) return false;
    while (scan_.at < scan_.text.size() && is_digit(scan_.text[scan_.at])) {
      const int digit = digit_value(scan_.text[scan_.at]);
      take({scan_.tools.speller.spell(digit, scan_.language().numbering), scan_.at + 1});
    }
    quantity_end_ = scan_.at;
    return true;
  }

  bool word() {
    if (!is_letter(scan_.text[scan_.at])) return false;
    if (const Match match = match_abbreviation(scan_)) {
      take(*match);
      return true;
    }
    while (scan_.at < scan_.text.size() && is_letter(scan_.text[scan_.at])) copy_one();
    return true;
  }

  bool run_of_signs() {
    const char32_t c = scan_.text[scan_.at];
    if (is_word_char(c) || c == U' ') return false;
    size_t end = scan_.at;
    while (end < scan_.text.size() && scan_.text[end] == c) ++end;
    const size_t count = end - scan_.at;
    if (count < 2) return false;
    if (c == U'-' && count == 2) {
      writer_.gap(source(end));
      writer_.copy(U'—', source(end));
      writer_.gap(source(end));
    } else if (count < 3) {
      return false;
    } else if (is_final_mark(c)) {
      for (size_t i = 0; i < 3; ++i) writer_.copy(c, sources_[scan_.at + i]);
    } else {
      writer_.gap(source(end));
    }
    scan_.at = end;
    return true;
  }

  void sign() {
    const size_t at = scan_.at;
    const char32_t c = scan_.text[at];
    const Language& language = scan_.language();
    const bool after_quantity = quantity_end_ == at;
    const bool numbers = is_digit(scan_.before(at)) && is_digit(scan_.peek(at + 1));
    if (c == kGroupSpace) return skip();
    if ((c == U'-' || c == U'–') && after_quantity && !numbers && !language.range_word.empty() &&
        begins_quantity(scan_, at + 1)) {
      return take({std::u32string(language.range_word), at + 1});  // "5kg-10kg"
    }
    if (c == U':' && numbers && !language.ratio_word.empty()) {
      return take({std::u32string(language.ratio_word), at + 1});
    }
    const char32_t before = scan_.before(at);
    const bool leading = before == 0 || before == U' ' || is_opening(before);  // ".5"
    const bool point = c == U'.' || c == scan_.tools.decimal_mark;
    if (point && is_digit(scan_.peek(at + 1)) && (leading || (numbers && after_quantity)) &&
        !language.decimal_word.empty()) {
      return take({std::u32string(language.decimal_word), at + 1});
    }
    if (const auto name = sign_name(scan_, after_quantity)) {
      writer_.name(*name, source(at + 1));
      ++scan_.at;
      return;
    }
    if (is_symbol(c) && scan_.tools.has_table) return skip();
    copy_one();
  }

  void skip() {
    writer_.gap(sources_[scan_.at]);
    ++scan_.at;
  }

  Scan scan_;
  const SourceRange* sources_;
  std::vector<Span> addresses_;
  size_t next_address_ = 0;
  size_t quantity_end_ = std::u32string_view::npos;  // behind the last amount
  Writer writer_;
};

}  // namespace

void verbalize(const TextTools& tools, const MappedText& in, size_t begin, size_t end,
               MappedText& out) {
  if (begin < end) Verbalizer(tools, in, begin, end, out).run();
}

}  // namespace kani
