// markdown_inline.cc - four passes over one block; what is dropped becomes 0 and is left out at the
// end.
#include "kani/text/markdown_inline.h"

#include <algorithm>
#include <map>

#include "kani/text/lines.h"
#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr size_t kNone = std::u32string_view::npos;
constexpr size_t kLongestTarget = 1000;  // of a link or tag: bounds every look ahead

bool is_ascii_punctuation(char32_t c) {
  return c > 0x20 && c < 0x7F && !is_ascii_letter(c) && !is_ascii_digit(c);
}

struct Entity {
  std::u32string_view name;
  char32_t value;
};
constexpr Entity kEntities[] = {
    {U"amp", U'&'},    {U"lt", U'<'},   {U"gt", U'>'},    {U"quot", U'"'},
    {U"apos", U'\''},  {U"nbsp", 0xA0}, {U"mdash", U'—'}, {U"ndash", U'–'},
    {U"hellip", U'…'}, {U"copy", U'©'}, {U"laquo", U'«'}, {U"raquo", U'»'},
};

class Inline {
 public:
  explicit Inline(const MappedText& block)
      : block_(block), text_(block.text), literal_(block.size(), false) {}

  void run(MappedText& out) {
    escapes_and_code();
    links();
    emphasis();
    entities();
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] != 0) out.append(text_[i], block_.source[i]);
    }
  }

 private:
  char32_t at(size_t i) const { return i < block_.size() ? block_.text[i] : 0; }
  /// A mark that still is one.
  bool is(size_t i, char32_t mark) const {
    return i < text_.size() && text_[i] == mark && !literal_[i];
  }
  void drop(size_t begin, size_t end) {
    std::fill(text_.begin() + static_cast<std::ptrdiff_t>(begin),
              text_.begin() + static_cast<std::ptrdiff_t>(end), U'\0');
  }
  size_t run_end(size_t i) const {
    const char32_t c = at(i);
    while (i < block_.size() && at(i) == c) ++i;
    return i;
  }

  /// For every run of backticks the next one of the same length, or kNone.
  std::map<size_t, size_t> pair_backticks() const {
    std::vector<Span> runs;
    for (size_t i = 0; i < block_.size(); ++i) {
      if (at(i) != U'`') continue;
      runs.push_back({i, run_end(i)});
      i = runs.back().end - 1;
    }
    std::map<size_t, size_t> next_of_length, partner;
    for (size_t k = runs.size(); k-- > 0;) {
      const auto next = next_of_length.find(runs[k].size());
      partner[runs[k].begin] = next == next_of_length.end() ? kNone : next->second;
      next_of_length[runs[k].size()] = runs[k].begin;
    }
    return partner;
  }

  void escapes_and_code() {
    const std::map<size_t, size_t> partner = pair_backticks();
    for (size_t i = 0; i < block_.size();) {
      const char32_t c = at(i);
      if (c == U'\\' && is_ascii_punctuation(at(i + 1))) {
        text_[i] = 0;
        literal_[i + 1] = true;
        i += 2;
      } else if (c == U'\\' && at(i + 1) == U'\n') {
        text_[i] = 0;
        text_[i + 1] = kLineBreak;
        i += 2;
      } else if (c == U'`') {
        i = code(i, partner);
      } else if (c == U'<') {
        i = tag(i);
      } else {
        ++i;
      }
    }
  }

  size_t code(size_t i, const std::map<size_t, size_t>& partner) {
    const size_t end = run_end(i);
    const auto found = partner.find(i);  // absent behind an escaped backtick
    if (found == partner.end() || found->second == kNone) return end;
    const size_t close = found->second, close_end = close + (end - i);
    drop(i, end);
    drop(close, close_end);
    std::fill(literal_.begin() + static_cast<std::ptrdiff_t>(end),
              literal_.begin() + static_cast<std::ptrdiff_t>(close), true);
    return close_end;
  }

  /// <b>, </b>, <br/>, <https://example.com>.
  size_t tag(size_t i) {
    const char32_t first = at(i + 1);
    if (!is_ascii_letter(first) && first != U'/') return i + 1;
    const size_t close = find_before(i + 1, U'>');
    if (close == kNone) return i + 1;
    const std::u32string_view inside =
        std::u32string_view(block_.text).substr(i + 1, close - i - 1);
    const bool link =
        inside.find(U' ') == kNone && (inside.find(U"://") != kNone || inside.find(U'@') != kNone);
    if (link) {
      text_[i] = text_[close] = 0;
      std::fill(literal_.begin() + static_cast<std::ptrdiff_t>(i),
                literal_.begin() + static_cast<std::ptrdiff_t>(close), true);
    } else {
      drop(i, close + 1);
      if (inside.starts_with(U"br")) text_[i] = kLineBreak;
    }
    return close + 1;
  }

  /// The next `mark`, not behind a line break and not too far.
  size_t find_before(size_t i, char32_t mark) const {
    for (const size_t limit = i + kLongestTarget; i < limit && i < block_.size(); ++i) {
      if (at(i) == mark) return i;
      if (at(i) == U'\n') return kNone;
    }
    return kNone;
  }

  void links() {
    std::vector<size_t> open;
    for (size_t i = 0; i < block_.size(); ++i) {
      if (is(i, U'[')) {
        open.push_back(i);
      } else if (is(i, U']') && !open.empty()) {
        const size_t begin = open.back();
        open.pop_back();
        i = close_link(begin, i);
      }
    }
  }

  /// Returns the last code point of the link, or of the bracket if it is none.
  size_t close_link(size_t open, size_t close) {
    if (at(open + 1) == U'^') {  // footnote mark
      drop(open, close + 1);
      return close;
    }
    size_t end = kNone;
    if (at(close + 1) == U'(') end = target_end(close + 1);
    if (at(close + 1) == U'[') end = find_before(close + 2, U']');
    if (end == kNone) return close;
    drop(close, end + 1);
    text_[open] = 0;
    if (open > 0 && is(open - 1, U'!')) text_[open - 1] = 0;
    return end;
  }

  /// The parenthesis that closes the one at `open`; addresses may hold pairs of them.
  size_t target_end(size_t open) const {
    size_t depth = 0;
    for (size_t i = open; i < block_.size() && i < open + kLongestTarget && at(i) != U'\n'; ++i) {
      if (at(i) == U'(') ++depth;
      if (at(i) == U')' && --depth == 0) return i;
    }
    return kNone;
  }

  struct Delimiter {
    size_t begin, end;  // what is left of the run
  };

  void emphasis() {
    for (const char32_t mark : {U'*', U'_', U'~'}) {
      std::vector<Delimiter> open;
      for (size_t i = 0; i < text_.size(); ++i) {
        if (!is(i, mark)) continue;
        size_t end = i;
        while (is(end, mark)) ++end;
        close_emphasis(mark, i, end, open);
        i = end - 1;
      }
    }
  }

  void close_emphasis(char32_t mark, size_t begin, size_t end, std::vector<Delimiter>& open) {
    const char32_t before = neighbour(begin, -1), after = neighbour(end - 1, 1);
    const bool left = is_flank(after, before), right = is_flank(before, after);
    const bool inside_word = is_word_char(before) && is_word_char(after);
    const bool may_close = right && !(mark == U'_' && inside_word);
    const bool may_open = left && !(mark == U'_' && inside_word);
    if (mark == U'~' && end - begin < 2) return;      // "~5"
    if (is_digit(before) && is_digit(after)) return;  // "5*3*2": said, not emphasized
    while (may_close && begin < end && !open.empty()) {
      Delimiter& opener = open.back();
      const size_t count = std::min(end - begin, opener.end - opener.begin);
      drop(begin, begin + count);
      drop(opener.end - count, opener.end);
      begin += count;
      opener.end -= count;
      if (opener.begin == opener.end) open.pop_back();
    }
    if (may_open && begin < end) open.push_back({begin, end});
  }

  /// What stands beside a run; blank at the borders.  Marks dropped before count as punctuation.
  char32_t neighbour(size_t i, int step) const {
    if (step < 0 && i == 0) return U' ';
    return step < 0 ? at(i - 1) : (i + 1 < block_.size() ? at(i + 1) : U' ');
  }
  /// A run flanks `inner` if that is no space, and no punctuation within a word.
  static bool is_flank(char32_t inner, char32_t outer) {
    if (is_space(inner) || is_line_break(inner)) return false;
    return is_word_char(inner) || !is_word_char(outer);
  }

  void entities() {
    for (size_t i = 0; i < text_.size(); ++i) {
      if (is(i, U'&')) entity(i);
    }
  }

  void entity(size_t i) {
    constexpr size_t kLongestName = 10;
    const size_t end = std::u32string_view(block_.text).substr(0, i + kLongestName).find(U';', i);
    if (end == kNone) return;
    const std::u32string_view name = std::u32string_view(block_.text).substr(i + 1, end - i - 1);
    char32_t value = name.starts_with(U'#') ? numeric(name.substr(1)) : 0;
    for (const Entity& entity : kEntities) {
      if (entity.name == name) value = entity.value;
    }
    if (value == 0) return;
    drop(i, end + 1);
    text_[i] = value;
  }

  /// "8212", "x2014"; 0 if it is none or no character to be spoken.
  static char32_t numeric(std::u32string_view digits) {
    const bool hex = digits.starts_with(U'x') || digits.starts_with(U'X');
    if (hex) digits.remove_prefix(1);
    uint32_t value = 0;  // at most nine digits: fits
    for (const char32_t c : digits) {
      const char32_t lower = c | 0x20u;
      if (is_ascii_digit(c)) {
        value = value * (hex ? 16 : 10) + (c - U'0');
      } else if (hex && lower >= U'a' && lower <= U'f') {
        value = value * 16 + (lower - U'a' + 10);
      } else {
        return 0;
      }
    }
    const bool scalar = value >= 0x20 && value < 0xFFFE && (value < 0xD800 || value > 0xF8FF) &&
                        (value < 0xFDD0 || value > 0xFDEF);
    return scalar || (value >= 0x10000 && value <= 0x10FFFF) ? value : 0;
  }

  const MappedText& block_;
  std::u32string text_;
  std::vector<bool> literal_;
};

}  // namespace

void append_inline(const MappedText& block, MappedText& out) { Inline(block).run(out); }

}  // namespace kani
