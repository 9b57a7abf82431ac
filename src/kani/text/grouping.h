// grouping.h - joining neighbours into groups of similar length, and cutting what is too long.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kani/text/mapped_text.h"
#include "kani/text/tools.h"

namespace kani {

/// Spoken length of the text before each code point; one more entry than code points.
std::vector<size_t> measure_text(std::u32string_view text);

/// Neighbouring pieces joined into as few groups as possible, none longer than `limit`, of lengths
/// as similar as that allows (filling each to the brim would leave a tiny rest).  A piece longer
/// than `limit` stays alone.  Pieces are ascending spans of one text whose lengths `lengths` gives
/// (measure_text); a group is the span from its first piece to its last.  Linear.
std::vector<Span> join_balanced(std::span<const Span> pieces, std::span<const size_t> lengths,
                                size_t limit);

/// Cuts `piece` of `text` if it is longer than `longest`: at clauses, where they are too long at
/// words, then at the words that ICU's dictionaries find, then between grapheme clusters, then, if
/// a cluster alone is too long, between code points.  The cuts are joined again up to `target`.
std::vector<Span> cut_long(const Breaks& breaks, std::u32string_view text,
                           std::span<const size_t> lengths, Span piece, size_t target,
                           size_t longest);

}  // namespace kani
