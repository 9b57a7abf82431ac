// clean.h - the first step on any text: what cannot be spoken and what cannot be seen goes.
// Source: interfaces.md 3.8, hostile cases in reliability.md 6.  Not here: meaning of line breaks
// (lines.h), Markdown (markdown.h).
#pragma once

#include "kani/text/mapped_text.h"

namespace kani {

/// White space that stands between two digits and is not a plain space (U+00A0, U+2009, …): it can
/// only group them.  All other white space becomes U+0020.
inline constexpr char32_t kGroupSpace = 0x202F;

/// The same text
///  - in NFC; at most 30 combining marks in a row (UAX #15, "stream-safe"), further ones are
///  dropped;
///  - without control and format characters (bidirectional controls, zero-width spaces, soft
///  hyphens,
///    tags), variation selectors, noncharacters; ZWJ and ZWNJ stay where a script needs them;
///  - with a space in place of emoji, box drawing, private use and U+FFFD;
///  - with white space folded to one space, none at the borders of lines; every line break is one
///    LF, U+2028 stays, a form feed or U+2029 is two LF;
///  - with U+2010 and U+2011 as the ASCII hyphen.
/// Pause marks stay.  Linear.
MappedText clean(const MappedText& text);

}  // namespace kani
