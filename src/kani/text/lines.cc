// lines.cc - blocks of lines between blank lines, measured first and joined then.
#include "kani/text/lines.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr size_t kWrappedColumns = 60;  // a block with a line this long is taken for wrapped prose

struct Line {
  size_t begin = 0, end = 0;
  size_t columns = 0;
  bool starts_lower = false;
  bool heading = false;    // "# …"
  bool list_item = false;  // "- …", "3. …"
  bool bullet = false;
  bool ends_hard = false;  // U+2028 behind it
  bool empty() const { return begin == end; }
};

bool is_bullet(std::u32string_view line) {
  return line.size() > 2 && line[1] == U' ' &&
         std::u32string_view(U"-*+•‣◦·").find(line[0]) != std::u32string_view::npos;
}

bool is_numbered(std::u32string_view line) {
  size_t i = 0;
  while (i < line.size() && i < 3 && is_digit(line[i])) ++i;
  return i > 0 && i + 1 < line.size() && (line[i] == U'.' || line[i] == U')') &&
         line[i + 1] == U' ';
}

bool is_heading(std::u32string_view line) {
  const size_t level = line.find_first_not_of(U'#');
  return level != std::u32string_view::npos && level >= 1 && level <= 6 && line[level] == U' ';
}

Line measure(std::u32string_view text, size_t begin, size_t end) {
  while (begin < end && is_space(text[begin])) ++begin;
  while (end > begin && is_space(text[end - 1])) --end;
  Line line{.begin = begin, .end = end};
  const std::u32string_view view = text.substr(begin, end - begin);
  line.heading = is_heading(view);
  line.bullet = is_bullet(view);
  line.list_item = line.bullet || is_numbered(view);
  for (const char32_t c : view) line.columns += column_width(c);
  const auto first = std::find_if(view.begin(), view.end(), is_speakable);
  line.starts_lower = first != view.end() && is_lower(*first);
  return line;
}

std::vector<Line> split_lines(std::u32string_view text) {
  std::vector<Line> lines;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !is_line_break(text[i])) continue;
    lines.push_back(measure(text, begin, i));
    const char32_t mark = i < text.size() ? text[i] : 0;
    lines.back().ends_hard = mark == kLineBreak;
    if (mark == kParagraphBreak || mark == U'\f') lines.push_back(measure(text, i, i));
    if (mark == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') ++i;
    begin = i + 1;
  }
  return lines;
}

/// What the lines between two blank lines have in common.
struct Block {
  size_t longest = 0;
  bool wrapped = false;  // some line begins with a small letter
};

Block describe(std::span<const Line> lines) {
  Block block;
  for (const Line& line : lines) {
    block.longest = std::max(block.longest, line.columns);
    block.wrapped = block.wrapped || line.starts_lower;
  }
  return block;
}

bool goes_on(char32_t last) {
  return std::u32string_view(U",;:-–—，、；：،؛").find(last) != std::u32string_view::npos;
}

bool ends_here(const Line& line, const Line& next, const Block& block, char32_t last) {
  if (line.ends_hard || line.heading || next.heading || next.list_item) return true;
  if (next.starts_lower || goes_on(last)) return false;
  if (block.longest >= kWrappedColumns) return line.columns * 10 < block.longest * 6;
  return !block.wrapped;
}

/// Whether two wrapped lines join without a space.
bool joins_closely(char32_t last, char32_t first) {
  return (is_east_asian(last) && is_east_asian(first)) || (last == U'-' && is_lower(first));
}

/// Calls `use(block)` for every run of lines that are not blank.
template <typename Use>
void for_each_block(std::span<const Line> lines, const Use& use) {
  for (size_t i = 0; i < lines.size();) {
    size_t end = i;
    while (end < lines.size() && !lines[end].empty()) ++end;
    if (end > i) use(lines.subspan(i, end - i));
    i = std::max(end, i + 1);
  }
}

void append_block(const MappedText& text, std::span<const Line> lines, MappedText& out) {
  const Block block = describe(lines);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    out.append(text, line.bullet ? line.begin + 2 : line.begin, line.end);
    if (i + 1 == lines.size()) return;
    const char32_t last = text.text[line.end - 1], first = text.text[lines[i + 1].begin];
    const SourceRange at = text.source[line.end];  // of the line break
    if (ends_here(line, lines[i + 1], block, last)) {
      out.append(kLineBreak, at);
    } else if (!joins_closely(last, first)) {
      out.append(U' ', at);
    }
  }
}

}  // namespace

MappedText resolve_lines(const MappedText& text) {
  const std::vector<Line> lines = split_lines(text.text);
  MappedText out;
  out.text.reserve(text.size());
  out.source.reserve(text.size());
  for_each_block(lines, [&](std::span<const Line> block) {
    if (out.size() > 0) out.append(kParagraphBreak, text.source[block[0].begin - 1]);
    append_block(text, block, out);
  });
  return out;
}

std::vector<Span> find_line_stretches(std::u32string_view text) {
  const std::vector<Line> lines = split_lines(text);
  std::vector<Span> stretches;
  for_each_block(lines, [&](std::span<const Line> lines_of_block) {
    const Block block = describe(lines_of_block);
    size_t begin = lines_of_block[0].begin;
    for (size_t i = 0; i < lines_of_block.size(); ++i) {
      const Line& line = lines_of_block[i];
      const bool last = i + 1 == lines_of_block.size();
      if (!last && !ends_here(line, lines_of_block[i + 1], block, text[line.end - 1])) continue;
      stretches.push_back({begin, line.end});
      if (!last) begin = lines_of_block[i + 1].begin;
    }
  });
  return stretches;
}

}  // namespace kani
