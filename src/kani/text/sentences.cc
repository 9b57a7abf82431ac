// sentences.cc - ICU proposes boundaries, the rules here refuse some.  When in doubt a boundary is
// refused: two sentences said in one breath harm less than a stop behind "Dr.".
#include "kani/text/sentences.h"

#include <algorithm>

#include "kani/text/address.h"
#include "kani/text/signs.h"
#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr size_t kLongestWord = 24;  // looked back over in search of an abbreviation
constexpr size_t kShortWord = 4;     // with a full stop before a number: perhaps an abbreviation

bool is_white(char32_t c) { return is_space(c) || is_line_break(c); }

/// Position of the next sentence's first character if one can begin behind the mark at `i`: closing
/// marks, white space and opening marks are passed, each at most three.  Else npos.
size_t next_start(std::u32string_view text, size_t i) {
  constexpr size_t kMost = 3;
  size_t next = i + 1;
  while (next < text.size() && next <= i + kMost && is_closing(text[next])) ++next;
  const size_t space = next;
  while (next < text.size() && next < space + kMost &&
         (is_white(text[next]) || is_opening(text[next]))) {
    ++next;
  }
  return next > space && next < text.size() ? next : std::u32string_view::npos;
}

/// What ICU sees instead of the text, so that it proposes more:
///  - line breaks are spaces, for it would end a sentence at each;
///  - an ellipsis before a capital is a full stop, for by itself it ends nothing;
///  - a digit that may begin a sentence is a capital, for ICU looks on to the first letter and sees
///  "20
///    years later" begin with a small one.  Only where a table knows the abbreviations.
std::u32string prepare(std::u32string_view text, bool has_table) {
  std::u32string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    if (is_line_break(out[i])) out[i] = U' ';
    if (text[i] != U'.' && text[i] != 0x2026) continue;
    const size_t next = next_start(text, i);
    if (next == std::u32string_view::npos) continue;
    if (has_table && is_digit(text[next])) out[next] = U'A';
    if (text[i] == 0x2026 && is_upper(out[next])) out[i] = U'.';
  }
  return out;
}

class Splitter {
 public:
  Splitter(const TextTools& tools, std::u32string_view text)
      : tools_(tools), text_(text), addresses_(find_addresses(text)) {}

  std::vector<Span> run() {
    std::vector<Span> sentences;
    size_t begin = 0;
    for (const size_t end :
         tools_.breaks.ends(BreakKind::kSentence, prepare(text_, tools_.has_table))) {
      const bool last = end == text_.size();
      const size_t next = last ? end : without_openings(end);
      if (last || is_boundary(begin, next)) {
        add(begin, next, sentences);
        begin = next;
      }
      floor_ = end;
    }
    return sentences;
  }

 private:
  void add(size_t begin, size_t end, std::vector<Span>& sentences) const {
    while (begin < end && is_white(text_[begin])) ++begin;
    while (end > begin && is_white(text_[end - 1])) --end;
    if (begin < end) sentences.push_back({begin, end});
  }

  /// ICU leaves a bracket or quote that opens the next sentence with the last one if no space is
  /// between them: 好！“真的
  size_t without_openings(size_t end) const {
    const auto opens = [](char32_t c) { return is_opening(c) && c != U'"' && c != U'\''; };
    while (end > floor_ && opens(text_[end - 1])) --end;
    return end;
  }

  char32_t at(size_t i) const { return i < text_.size() ? text_[i] : 0; }

  /// Whether the boundary before text_[end], which ICU proposes, is one.  `begin`: of the sentence.
  bool is_boundary(size_t begin, size_t end) {
    size_t close = end;  // behind the closing marks
    while (close > floor_ && is_white(text_[close - 1])) --close;
    size_t stop = close;  // behind the final mark
    while (stop > floor_ && is_closing(text_[stop - 1])) --stop;
    if (stop == floor_ || !is_final_mark(text_[stop - 1])) return true;
    if (in_address(stop - 1)) return false;
    if (close == end && close > stop && is_east_asian(at(end)) && is_word_char(at(end))) {
      return false;  // 「行くよ。」と言った
    }
    const char32_t mark = text_[stop - 1];
    const char32_t next = first_letter(end);
    if (close == end && mark < 0x80) {  // no space: "3.5", "a?b", but "Wow!太好了", "Stop!Go"
      return is_east_asian(next) || (mark != U'.' && is_upper(next));
    }
    if (close > stop && is_lower(next)) return false;  // "Stop!" he said
    return mark != U'.' || close > stop || !goes_on(begin, stop - 1, end);
  }

  /// What follows a boundary, brackets and quotes apart.
  char32_t first_letter(size_t i) const {
    const size_t limit = i + 8;
    while (i < limit && (is_opening(at(i)) || is_white(at(i)))) ++i;
    return at(i);
  }

  bool in_address(size_t i) {
    while (next_address_ < addresses_.size() && addresses_[next_address_].end <= i) ++next_address_;
    return next_address_ < addresses_.size() && addresses_[next_address_].begin <= i;
  }

  /// Whether the full stop at `stop` belongs to the word before it and the sentence goes on.
  bool goes_on(size_t begin, size_t stop, size_t next) const {
    size_t word_begin = stop;
    while (word_begin > begin && stop - word_begin < kLongestWord &&
           is_word_part(text_[word_begin - 1])) {
      --word_begin;
    }
    const std::u32string_view word = text_.substr(word_begin, stop - word_begin);
    if (word.empty()) return false;
    if (std::all_of(word.begin(), word.end(), is_digit))
      return number_goes_on(begin, word_begin, stop, next);
    const std::u32string_view with_stop = text_.substr(word_begin, stop + 1 - word_begin);
    const char32_t following = first_letter(next);
    if (const auto known = abbreviation_goes_on(tools_.language, with_stop, following))
      return *known;
    if (is_digit(following) && word.size() <= kShortWord) return true;
    if (is_letter_word(word, word_begin)) return false;
    const bool apart =
        word_begin == begin || is_white(text_[word_begin - 1]) || is_opening(text_[word_begin - 1]);
    return (apart && is_initial(word)) || tools_.suppressions.contains(with_stop);
  }

  static bool is_word_part(char32_t c) {
    return is_word_char(c) || c == U'.' || c == U'\'' || c == 0x2019 || c == U'-';
  }

  /// "J. R. R. Tolkien", "z. B.", "George W. Bush".
  static bool is_initial(std::u32string_view word) {
    size_t letters = 0;
    for (const char32_t c : word) letters += is_mark(c) ? 0 : 1;
    return letters == 1 && (is_upper(word[0]) || is_lower(word[0]));
  }

  /// "It was I. Then".
  bool is_letter_word(std::u32string_view word, size_t word_begin) const {
    return word.size() == 1 && word_begin >= 2 && is_lower(text_[word_begin - 2]) &&
           tools_.language.letter_words.find(word[0]) != std::u32string_view::npos;
  }

  /// "3. Mai", "3. 5", "1. Item" at the start; but "in 1984. 20 years later".
  bool number_goes_on(size_t begin, size_t word_begin, size_t stop, size_t next) const {
    const size_t digits = stop - word_begin;
    if (digits > 3) return false;
    size_t first = begin;
    while (first < word_begin && is_white(text_[first])) ++first;
    if (first == word_begin) return true;
    if (digits > 2) return false;
    if (is_digit(first_letter(next))) return true;
    return !tools_.language.ordinal_dot.empty() && is_ordinal(word_begin, next);
  }

  bool is_ordinal(size_t word_begin, size_t next) const {
    const Scan scan{tools_, text_, next};
    for (const Precursor& precursor : tools_.language.precursors) {
      if (precursor.word == scan.word_before(word_begin)) return true;
    }
    for (const std::u32string_view month : tools_.language.months) {
      if (scan.says_word(next, month)) return true;
    }
    return false;
  }

  const TextTools& tools_;
  std::u32string_view text_;
  std::vector<Span> addresses_;
  size_t next_address_ = 0;
  size_t floor_ = 0;  // the last boundary proposed: nothing before it is looked at again for marks
};

}  // namespace

std::vector<Span> find_sentences(const TextTools& tools, std::u32string_view text) {
  return Splitter(tools, text).run();
}

}  // namespace kani
