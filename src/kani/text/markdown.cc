// markdown.cc - blocks, line by line; their insides are markdown_inline.cc's.
#include "kani/text/markdown.h"

#include <algorithm>

#include "kani/text/lines.h"
#include "kani/text/markdown_inline.h"
#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr size_t kNone = std::u32string_view::npos;

bool is_blank(std::u32string_view line) { return line.find_first_not_of(U" \t") == kNone; }

/// Only `marks`, spaces apart, at least `least` of them, all the same.
bool is_rule(std::u32string_view line, std::u32string_view marks, size_t least) {
  char32_t mark = 0;
  size_t count = 0;
  for (const char32_t c : line) {
    if (c == U' ' || c == U'\t') continue;
    if (marks.find(c) == kNone || (mark != 0 && c != mark)) return false;
    mark = c;
    ++count;
  }
  return count >= least;
}

/// "|---|:--:|": the line under the head of a table.
bool is_table_rule(std::u32string_view line) {
  return line.find(U'|') != kNone && line.find(U'-') != kNone &&
         line.find_first_not_of(U"|:- \t") == kNone;
}

/// "[label]: address".
bool is_definition(std::u32string_view line) {
  if (!line.starts_with(U'[') || line.starts_with(U"[^")) return false;
  const size_t close = line.substr(0, 200).find(U"]:");
  return close != kNone && close > 1;
}

class Blocks {
 public:
  explicit Blocks(const MappedText& in) : in_(in) { split(); }

  MappedText run() {
    size_t i = skip_front_matter();
    for (; i < lines_.size(); ++i) {
      if (fence_ != 0) {
        code_line(lines_[i]);
      } else {
        line(i);
      }
    }
    end_block();
    return std::move(out_);
  }

 private:
  std::u32string_view view(Span line) const {
    return std::u32string_view(in_.text).substr(line.begin, line.size());
  }

  /// Lines without their breaks and indentation.
  void split() {
    size_t begin = 0;
    for (size_t i = 0; i <= in_.size(); ++i) {
      if (i < in_.size() && !is_line_break(in_.text[i])) continue;
      lines_.push_back({begin, i});
      if (in_.at(i) == U'\r' && in_.at(i + 1) == U'\n') ++i;
      begin = i + 1;
    }
    for (Span& line : lines_) {
      while (line.begin < line.end && is_space(in_.text[line.begin])) ++line.begin;
    }
  }

  /// "---" on the first line up to the next "---".
  size_t skip_front_matter() const {
    if (view(lines_[0]) != U"---") return 0;
    for (size_t i = 1; i < lines_.size(); ++i) {
      if (view(lines_[i]) == U"---") return i + 1;
    }
    return 0;
  }

  void line(size_t i) {
    Span line = strip_quote(lines_[i]);
    const std::u32string_view text = view(line);
    if (is_blank(text)) return end_block();
    if (open_fence(text)) return end_block();
    if (table(i, line)) return;
    if (is_rule(text, U"=", 2) || is_rule(text, U"-", 2) || is_rule(text, U"*_", 3))
      return end_block();
    if (is_definition(text)) return;
    if (heading(line)) return;
    line = strip_task(line);
    const bool hard = view(line).ends_with(U"  ");
    block_.append(in_, line.begin, line.end);
    append_break(block_, line, hard ? kLineBreak : U'\n');
  }

  /// A line break whose source is the end of `line`.
  void append_break(MappedText& to, Span line, char32_t c) const {
    const uint32_t place = line.end > 0 ? in_.source[line.end - 1].end : 0;
    to.append(c, {place, place});
  }

  Span strip_quote(Span line) const {
    while (line.begin < line.end && in_.text[line.begin] == U'>') {
      ++line.begin;
      while (line.begin < line.end && is_space(in_.text[line.begin])) ++line.begin;
    }
    return line;
  }

  /// "- [x] done" is "- done": the box goes, the bullet stays.
  Span strip_task(Span line) {
    const std::u32string_view text = view(line);
    const bool task = text.size() > 6 && std::u32string_view(U"-*+").find(text[0]) != kNone &&
                      text[1] == U' ' && text[2] == U'[' && text[4] == U']' && text[5] == U' ';
    if (!task) return line;
    block_.append(in_, line.begin, line.begin + 2);
    line.begin += 6;
    return line;
  }

  bool open_fence(std::u32string_view text) {
    const bool opens = text.starts_with(U"```") || text.starts_with(U"~~~");
    if (!opens) return false;
    fence_ = text[0];
    fence_length_ = std::min(text.find_first_not_of(fence_), text.size());
    // "```code```" on one line is a code span.
    if (text.substr(fence_length_).find(fence_) != kNone) fence_ = 0;
    return fence_ != 0;
  }

  void code_line(Span line) {
    const std::u32string_view text = view(line);
    const size_t end = text.find_last_not_of(U" \t");
    const std::u32string_view trimmed = text.substr(0, end == kNone ? 0 : end + 1);
    if (trimmed.size() >= fence_length_ && trimmed.find_first_not_of(fence_) == kNone) {
      fence_ = 0;
      return paragraph_break();
    }
    out_.append(in_, line.begin, line.end);
    append_break(out_, line, kLineBreak);
  }

  bool heading(Span line) {
    const std::u32string_view text = view(line);
    const size_t level = std::min(text.find_first_not_of(U'#'), text.size());
    if (level == 0 || level > 6 || (level < text.size() && text[level] != U' ')) return false;
    end_block();
    line.begin += level;
    while (line.end > line.begin &&
           (in_.text[line.end - 1] == U'#' || is_space(in_.text[line.end - 1]))) {
      --line.end;
    }
    block_.append(in_, line.begin, line.end);
    end_block();
    return true;
  }

  /// Rows of a table: cells apart by commas, every row a line.
  bool table(size_t i, Span line) {
    const std::u32string_view text = view(line);
    if (is_table_rule(text)) {
      in_table_ = true;
      return true;
    }
    const bool head = i + 1 < lines_.size() && is_table_rule(view(strip_quote(lines_[i + 1])));
    if (text.find(U'|') == kNone || (!head && !in_table_)) {
      in_table_ = false;
      return false;
    }
    flush_block();
    MappedText row;
    for (size_t k = line.begin; k < line.end; ++k) {
      const bool bar = in_.text[k] == U'|' && (k == line.begin || in_.text[k - 1] != U'\\');
      if (!bar) {
        row.append(in_.text[k], in_.source[k]);
      } else if (!is_blank(row.text) &&
                 !is_blank(std::u32string_view(in_.text).substr(k + 1, line.end - k - 1))) {
        trim(row, U" \t,");
        row.append(U", ", in_.source[k]);
      }
    }
    trim(row, U" \t,");
    append_inline(row, out_);
    append_break(out_, line, kLineBreak);
    return true;
  }

  static void trim(MappedText& text, std::u32string_view ends) {
    while (text.size() > 0 && ends.find(text.text.back()) != kNone) {
      text.text.pop_back();
      text.source.pop_back();
    }
  }

  void end_block() {
    in_table_ = false;
    flush_block();
    paragraph_break();
  }

  void flush_block() {
    if (block_.size() == 0) return;
    append_inline(block_, out_);
    block_ = {};
    paragraph_break();
  }

  void paragraph_break() {
    if (out_.size() == 0 || out_.text.back() == kParagraphBreak) return;
    const uint32_t place = out_.source.back().end;
    out_.append(kParagraphBreak, {place, place});
  }

  const MappedText& in_;
  std::vector<Span> lines_;
  MappedText out_;
  MappedText block_;  // lines of the paragraph so far
  char32_t fence_ = 0;
  size_t fence_length_ = 0;
  bool in_table_ = false;
};

/// Without <!-- comments -->; one that is never closed is text.
MappedText without_comments(const MappedText& text) {
  constexpr std::u32string_view kOpen = U"<!--", kClose = U"-->";
  const std::u32string_view view = text.text;
  MappedText out;
  size_t begin = 0;
  while (true) {
    const size_t open = view.find(kOpen, begin);
    const size_t close = open == kNone ? kNone : view.find(kClose, open + kOpen.size());
    if (close == kNone) break;
    out.append(text, begin, open);
    begin = close + kClose.size();
  }
  out.append(text, begin, text.size());
  return out;
}

}  // namespace

MappedText strip_markdown(const MappedText& text) { return Blocks(without_comments(text)).run(); }

}  // namespace kani
