// grouping.cc - the fewest groups first, their evenness second; cuts from the mildest to the
// hardest.
#include "kani/text/grouping.h"

#include <algorithm>

#include "kani/text/unicode.h"

namespace kani {

namespace {

enum class Cut { kStops, kCommas, kSpaces, kWords, kGraphemes, kCodePoints };

bool is_cut_mark(char32_t c, Cut level) {
  constexpr std::u32string_view kStops = U";:…—–；：؛";
  constexpr std::u32string_view kCommas = U",，、،";
  if (level == Cut::kStops) return is_final_mark(c) || kStops.find(c) != std::u32string_view::npos;
  return kCommas.find(c) != std::u32string_view::npos || c == U')' || c == U'）';
}

/// Whether a clause ends before text[i].
bool clause_ends(std::u32string_view text, size_t i, Cut level) {
  const char32_t before = text[i - 1];
  if (text[i] == U' ') {
    size_t mark = i;
    while (mark > 1 && i - mark < 3 && is_closing(text[mark - 1]) &&
           !is_cut_mark(text[mark - 1], level))
      --mark;
    return is_cut_mark(text[mark - 1], level);
  }
  // East Asian marks need no space; what closes belongs to the clause.
  return is_east_asian(before) && is_cut_mark(before, level) && !is_closing(text[i]) &&
         !is_cut_mark(text[i], level);
}

/// Adds [begin, end) without the spaces around it.
void add_trimmed(std::u32string_view text, size_t begin, size_t end, std::vector<Span>& out) {
  while (begin < end && text[begin] == U' ') ++begin;
  while (end > begin && text[end - 1] == U' ') --end;
  if (begin < end) out.push_back({begin, end});
}

std::vector<Span> split_by_breaks(const Breaks& breaks, BreakKind kind, std::u32string_view text,
                                  Span piece) {
  std::vector<Span> out;
  size_t begin = piece.begin;
  for (const size_t end : breaks.ends(kind, text.substr(piece.begin, piece.size()))) {
    add_trimmed(text, begin, piece.begin + end, out);
    begin = piece.begin + end;
  }
  return out;
}

std::vector<Span> split(const Breaks& breaks, std::u32string_view text, Span piece, Cut level) {
  if (level == Cut::kWords) return split_by_breaks(breaks, BreakKind::kWord, text, piece);
  if (level == Cut::kGraphemes) return split_by_breaks(breaks, BreakKind::kGrapheme, text, piece);
  std::vector<Span> out;
  size_t begin = piece.begin;
  for (size_t i = piece.begin + 1; i < piece.end; ++i) {
    const bool cut = level == Cut::kCodePoints || (level == Cut::kSpaces && text[i] == U' ') ||
                     (level < Cut::kSpaces && clause_ends(text, i, level));
    if (!cut) continue;
    add_trimmed(text, begin, i, out);
    begin = i;
  }
  add_trimmed(text, begin, piece.end, out);
  return out;
}

}  // namespace

std::vector<size_t> measure_text(std::u32string_view text) {
  std::vector<size_t> lengths;
  lengths.reserve(text.size() + 1);
  size_t length = 0;
  for (const char32_t c : text) {
    lengths.push_back(length);
    length += spoken_length(c);
  }
  lengths.push_back(length);
  return lengths;
}

std::vector<Span> join_balanced(std::span<const Span> pieces, std::span<const size_t> lengths,
                                size_t limit) {
  const size_t n = pieces.size();
  const auto length = [&](size_t first, size_t last) {  // of pieces first … last
    return lengths[pieces[last].end] - lengths[pieces[first].begin];
  };
  // next[i]: end of the longest group that begins at piece i; groups[i]: fewest groups from i on.
  std::vector<size_t> next(n), groups(n + 1, 0);
  for (size_t i = 0, end = 0; i < n; ++i) {
    end = std::max(end, i + 1);
    while (end < n && length(i, end) <= limit) ++end;
    next[i] = end;
  }
  for (size_t i = n; i-- > 0;) groups[i] = 1 + groups[next[i]];

  std::vector<Span> out;
  for (size_t i = 0; i < n;) {
    const size_t ideal = length(i, n - 1) / groups[i];
    size_t end = next[i];
    // Shorter, while that costs no further group and comes no farther from the ideal.
    while (end > i + 1 && groups[end - 1] == groups[i] - 1) {
      const size_t now = length(i, end - 1), shorter = length(i, end - 2);
      if (now <= ideal || (shorter < ideal && ideal - shorter > now - ideal)) break;
      --end;
    }
    out.push_back({pieces[i].begin, pieces[end - 1].end});
    i = end;
  }
  return out;
}

std::vector<Span> cut_long(const Breaks& breaks, std::u32string_view text,
                           std::span<const size_t> lengths, Span piece, size_t target,
                           size_t longest) {
  std::vector<Span> pieces = {piece};
  const auto too_long = [&](Span span) {
    return lengths[span.end] - lengths[span.begin] > longest;
  };
  for (const Cut level :
       {Cut::kStops, Cut::kCommas, Cut::kSpaces, Cut::kWords, Cut::kGraphemes, Cut::kCodePoints}) {
    if (std::none_of(pieces.begin(), pieces.end(), too_long)) break;
    std::vector<Span> cut;
    for (const Span span : pieces) {
      if (!too_long(span)) {
        cut.push_back(span);
        continue;
      }
      const std::vector<Span> parts = split(breaks, text, span, level);
      // Words and smaller are joined at once, so that they share their clause evenly.
      const bool fine = level >= Cut::kSpaces;
      const std::vector<Span> joined = fine ? join_balanced(parts, lengths, target) : parts;
      cut.insert(cut.end(), joined.begin(), joined.end());
    }
    pieces = std::move(cut);
  }
  return join_balanced(pieces, lengths, target);
}

}  // namespace kani
