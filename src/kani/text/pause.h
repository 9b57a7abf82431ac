// pause.h - pause tags in plain text: [pause:0.5s], [pause:500ms].
// Source: interfaces.md 3.8.  Everything else in brackets is text.
#pragma once

#include <vector>

#include "kani/text/mapped_text.h"

namespace kani {

/// Stands for one pause tag inside the front end.  A noncharacter: map_utf8 lets no such code point
/// in.
inline constexpr char32_t kPauseMark = 0xFDD0;

struct Pause {
  uint32_t source_begin;  // of its tag: later steps may drop a mark (in a comment, an address)
  double seconds;
};

struct PausedText {
  MappedText text;  // every tag replaced by one kPauseMark
  std::vector<Pause> pauses;
};

/// Takes the tags out.  A tag of more than 10 s, and one with which the sum would pass 60 s, stays
/// as it is written and is spoken.  Exactly lower case, digits with at most one point, s or ms.
PausedText take_pause_tags(MappedText text);

}  // namespace kani
