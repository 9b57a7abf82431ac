// tools.h - everything the front end needs to know and have for one language.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "kani/text/breaks.h"
#include "kani/text/language.h"
#include "kani/text/speller.h"

namespace kani {

/// Immutable, thread-safe.
struct TextTools {
  const Language& language;  // an empty table for a language without one
  bool has_table;
  Speller speller;
  Breaks breaks;
  std::set<std::u32string, std::less<>> suppressions;  // CLDR's: words with their full stop
  char32_t decimal_mark, group_mark;
  std::u32string minus;  // word before a negative number with what parts them; "-" if ICU has none

  explicit TextTools(const std::string& tag);
};

/// The tools of a language ("en_us" and "en-GB" are "en"); what ICU does not know gets the root's.
///
/// They are made once per language and process and kept: ICU takes 0.3 … 20 ms for them, more than
/// a short text takes in all, and a free function has no owner to keep them.  There are at most as
/// many as ICU has languages, whatever tags requests bring.  Thread-safe.
const TextTools& tools_for(std::string_view language_tag);

}  // namespace kani
