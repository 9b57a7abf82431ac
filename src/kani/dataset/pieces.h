// pieces.h - how a long recording with timed words or sentences is divided: where it is silent
// between two of them it may be cut, and what lies between cuts is joined to pieces of 3 to 30 s.
// Source: training.md 15.5.  Pure functions.
// Not here: finding the silence (trim.h), the recordings of a set and their files (cutting.h).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kani/dataset/manifest.h"
#include "kani/dataset/reject.h"

namespace kani {

struct PieceOptions {
  double min_seconds = 3;
  double max_seconds = 30;
  double silence_s = 0.3;  // shorter ones are not cut at
};

/// Seconds from the beginning of the recording.
struct Silence {
  double begin_s = 0, end_s = 0;
};

/// Of the segments [first, last) of a recording.
struct Piece {
  size_t first = 0, last = 0;
  double start_s = 0, end_s = 0;  // rounded to milliseconds
  std::optional<Reject> reject{};
};

/// Every segment is in one piece, and the pieces are in order.  `segments` ascend as
/// read_segments() leaves them; `silences` are apart and ascend; `seconds` is the length of the
/// recording.
///   A silence belongs to the gap between segments that it shares most with; times of words are
///   rough, so a gap reaches 0.2 s into its neighbours.  Where one still speaks when the next has
///   begun is no gap.  A piece begins and ends 0.3 s (or half of the silence) beside its first and
///   last sound, or where the recording does.
///   Of all ways to join neighbours into pieces within the limits, without a pause of over 2 s
///   inside (there may be sound that has no text), the one that keeps most, then the one with the
///   fewest pieces.
/// What is left is a piece with a reject: kPieceTooLong, kPieceTooShort (seconds), or kCut for
/// segments behind the end of the recording (seconds of their end).
std::vector<Piece> make_pieces(std::span<const TimedText> segments,
                               std::span<const Silence> silences, double seconds,
                               const PieceOptions& options);

/// Their texts as one: a space between, but for scripts that have none.
std::string joined_text(std::span<const TimedText> segments);

}  // namespace kani
