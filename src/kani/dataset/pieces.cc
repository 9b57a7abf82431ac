// pieces.cc - see pieces.h.  Words: a block is what lies between two places where the recording may
// be cut; a piece is one block or several.
#include "kani/dataset/pieces.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

constexpr double kRough = 0.2;          // seconds that times of words may be wrong by
constexpr double kMargin = 0.3;         // of silence, left to the trimming
constexpr double kLongestPause = 2;     // inside of a piece
constexpr double kMostBeyondEnd = 0.5;  // an end that is rounded up; what is later was cut off

struct Gap {
  double begin_s = 0, end_s = 0;
  bool open = true;                  // nobody speaks
  std::optional<Silence> silence{};  // from the first one's begin to the last one's end
  double first_end_s = 0, last_begin_s = 0;
};

struct Block {
  size_t first = 0, last = 0;  // segments
  double start_s = 0, end_s = 0;
  double pause_s = 0;  // before it
};

/// Gap i lies before segment i; the last one behind all.
std::vector<Gap> find_gaps(std::span<const TimedText> segments, double seconds) {
  std::vector<Gap> gaps;
  double spoken_s = 0;
  for (const TimedText& one : segments) {
    gaps.push_back({.begin_s = std::min(spoken_s, one.start_s),
                    .end_s = std::max(spoken_s, one.start_s),
                    .open = spoken_s - one.start_s <= 2 * kRough});
    spoken_s = std::max(spoken_s, one.end_s);
  }
  gaps.push_back({.begin_s = std::min(spoken_s, seconds), .end_s = seconds});
  return gaps;
}

void place_silences(std::span<const Silence> silences, std::vector<Gap>& gaps) {
  // Open ones hardly overlap, so that a silence is near few of them, or all of them near few.
  std::vector<Gap*> open;
  for (Gap& gap : gaps) {
    if (gap.open) open.push_back(&gap);
  }
  size_t from = 0;
  for (const Silence& one : silences) {
    while (from < open.size() && open[from]->end_s + kRough < one.begin_s) ++from;
    Gap* best = nullptr;
    double most = 0;
    size_t at = from;
    for (size_t i = from; i < open.size() && open[i]->begin_s - kRough <= one.end_s; ++i) {
      const double shared =
          std::min(open[i]->end_s, one.end_s) - std::max(open[i]->begin_s, one.begin_s);
      if (best != nullptr && shared <= most) continue;
      best = open[i];
      most = shared;
      at = i;
    }
    if (best == nullptr) continue;
    from = at;
    if (!best->silence) {
      best->silence = one;
      best->first_end_s = one.end_s;
    }
    best->silence->end_s = one.end_s;
    best->last_begin_s = one.begin_s;
  }
}

double margin(double begin_s, double end_s) { return std::min(kMargin, (end_s - begin_s) / 2); }

std::vector<Block> find_blocks(const std::vector<Gap>& gaps, double seconds) {
  std::vector<Block> blocks;
  for (size_t i = 0; i + 1 < gaps.size(); ++i) {
    const Gap& gap = gaps[i];
    if (i > 0 && !gap.silence) continue;
    Block block{.first = i};
    if (gap.silence) {
      block.start_s = gap.silence->end_s - margin(gap.last_begin_s, gap.silence->end_s);
      block.pause_s = gap.silence->end_s - gap.silence->begin_s;
    }
    if (!blocks.empty()) {
      blocks.back().last = i;
      blocks.back().end_s = gap.silence->begin_s + margin(gap.silence->begin_s, gap.first_end_s);
    }
    blocks.push_back(block);
  }
  if (blocks.empty()) return blocks;
  const Gap& end = gaps.back();
  blocks.back().last = gaps.size() - 1;
  blocks.back().end_s =
      end.silence ? end.silence->begin_s + margin(end.silence->begin_s, end.first_end_s) : seconds;
  return blocks;
}

/// The first block of the piece that ends with each block, or the block behind where it is left
/// out.
std::vector<size_t> best_joins(const std::vector<Block>& blocks, const PieceOptions& options) {
  struct Way {
    double kept_s = 0;
    size_t pieces = 0;
    bool is_better_than(const Way& other) const {
      if (std::abs(kept_s - other.kept_s) > 1e-6) return kept_s > other.kept_s;
      return pieces < other.pieces;
    }
  };
  std::vector<Way> ways(blocks.size() + 1);  // of the first i blocks
  std::vector<size_t> from(blocks.size());
  for (size_t last = 0; last < blocks.size(); ++last) {
    Way best = ways[last];
    from[last] = last + 1;
    double kept_s = 0;
    for (size_t first = last + 1; first-- > 0;) {
      if (first < last && blocks[first + 1].pause_s > kLongestPause) break;
      const double length_s = blocks[last].end_s - blocks[first].start_s;
      if (length_s > options.max_seconds) break;
      kept_s += blocks[first].end_s - blocks[first].start_s;
      const Way way{ways[first].kept_s + kept_s, ways[first].pieces + 1};
      if (length_s < options.min_seconds || !way.is_better_than(best)) continue;
      best = way;
      from[last] = first;
    }
    ways[last + 1] = best;
  }
  return from;
}

double milliseconds(double seconds) { return std::round(seconds * 1000) / 1000; }

Piece piece_of(const Block& first, const Block& last) {
  return {first.first, last.last, milliseconds(first.start_s), milliseconds(last.end_s), {}};
}

void add_rejected(const Block& block, const PieceOptions& options, std::vector<Piece>& pieces) {
  Piece piece = piece_of(block, block);
  const double length_s = piece.end_s - piece.start_s;
  piece.reject = block.end_s - block.start_s > options.max_seconds
                     ? Reject{RejectReason::kPieceTooLong, length_s,
                              concat("no silence of ", options.silence_s,
                                     " s to cut it at; at most ", options.max_seconds, " s")}
                     : Reject{RejectReason::kPieceTooShort, length_s,
                              concat("nothing near that it can be joined to; at least ",
                                     options.min_seconds, " s")};
  pieces.push_back(std::move(piece));
}

bool has_no_spaces(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(code, &status);
  if (U_FAILURE(status)) return false;
  if (script != USCRIPT_COMMON && script != USCRIPT_INHERITED)
    return uscript_breaksBetweenLetters(script) != 0;
  const int width = u_getIntPropertyValue(code, UCHAR_EAST_ASIAN_WIDTH);  // of its punctuation
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH;
}

}  // namespace

std::vector<Piece> make_pieces(std::span<const TimedText> segments,
                               std::span<const Silence> silences, double seconds,
                               const PieceOptions& options) {
  const auto is_there = [&](const TimedText& one) {
    return one.start_s < seconds && one.end_s <= seconds + kMostBeyondEnd;
  };
  const auto there = static_cast<size_t>(
      std::find_if_not(segments.begin(), segments.end(), is_there) - segments.begin());
  std::vector<Gap> gaps = find_gaps(segments.first(there), seconds);
  place_silences(silences, gaps);
  const std::vector<Block> blocks = find_blocks(gaps, seconds);
  const std::vector<size_t> from = best_joins(blocks, options);
  std::vector<Piece> pieces;
  for (size_t end = blocks.size(); end > 0;) {
    const size_t first = from[end - 1];
    if (first >= end) {
      add_rejected(blocks[--end], options, pieces);
    } else {
      pieces.push_back(piece_of(blocks[first], blocks[end - 1]));
      end = first;
    }
  }
  std::reverse(pieces.begin(), pieces.end());
  if (there < segments.size()) {
    const double end_s = segments.back().end_s;
    pieces.push_back(
        {there, segments.size(), segments[there].start_s, end_s,
         Reject{RejectReason::kCut, end_s,
                concat("the recording ends before, after ", milliseconds(seconds), " s")}});
  }
  return pieces;
}

std::string joined_text(std::span<const TimedText> segments) {
  std::string text;
  for (const TimedText& one : segments) {
    const std::string_view more = trimmed(one.text);
    if (more.empty()) continue;
    if (!text.empty()) {
      size_t last = text.size() - 1;
      while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
      const std::string_view end = std::string_view(text).substr(last);
      if (!has_no_spaces(decode_utf8(end).value) || !has_no_spaces(decode_utf8(more).value))
        text += ' ';
    }
    text += more;
  }
  return text;
}

}  // namespace kani
