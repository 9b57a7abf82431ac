// verbalize.h - one sentence as it is spoken: numbers, signs, abbreviations and addresses in words.
#pragma once

#include "kani/text/mapped_text.h"
#include "kani/text/tools.h"

namespace kani {

/// Appends code points [begin, end) of `in`, one cleaned sentence, to `out` in words.  Words of a
/// number know the whole number; what is copied knows its own place.
///  - A sign without a name leaves a space; in a language without a table signs stay.
///  - More than 18 digits in a row are read digit by digit.
///  - Three and more of the same sign ("-----", "***") are a drawing and leave a space; of . ! ? at
///    most three are kept.
/// Linear in the length of the sentence.
void verbalize(const TextTools& tools, const MappedText& in, size_t begin, size_t end,
               MappedText& out);

}  // namespace kani
