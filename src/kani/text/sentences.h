// sentences.h - where sentences end inside one line.
// Source: ICU's sentence boundaries (UAX #29), CLDR's suppressions, the abbreviations of
// language.h. Not here: line breaks (lines.h decides them before).
//
// ICU's own filtered break iterator is not used: it knows the word before a boundary but not what
// follows ("etc. Then", "No. 5", "George W. Bush"), and searches backwards without a bound.
#pragma once

#include <vector>

#include "kani/text/mapped_text.h"
#include "kani/text/tools.h"

namespace kani {

/// Sentences of `text`, in order, without the white space around them; together they hold
/// everything else.  Line breaks inside are white space.  Linear.
std::vector<Span> find_sentences(const TextTools& tools, std::u32string_view text);

}  // namespace kani
