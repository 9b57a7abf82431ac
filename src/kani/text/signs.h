// signs.h - abbreviations and single signs.
#pragma once

#include "kani/text/scan.h"

namespace kani {

/// "Dr. Smith", "No. 5", "e.g.": what stands for a longer word and is spoken as that.  At the end
/// of the sentence the full stop stays.
Match match_abbreviation(const Scan& scan);

/// Name of the sign at `at` where it stands, or nothing.  `after_quantity`: an amount ends there.
std::optional<std::u32string_view> sign_name(const Scan& scan, bool after_quantity);

/// Whether the abbreviation `word` (with its full stop) in front of text[next] belongs to the
/// sentence that goes on there; nothing if the language's table does not know the word.
std::optional<bool> abbreviation_goes_on(const Language& language, std::u32string_view word,
                                         char32_t next);

}  // namespace kani
