// scan.h - how the matchers of the front end look at a sentence.
//
// A matcher is asked whether what it knows begins at a place; it answers with the words and the end
// of what it took, or with nothing.  Every matcher looks ahead a bounded distance or consumes what
// it looked at: that keeps the whole linear.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kani/text/tools.h"
#include "kani/text/unicode.h"

namespace kani {

struct Scan {
  const TextTools& tools;
  std::u32string_view text;  // one sentence
  size_t at = 0;

  const Language& language() const { return tools.language; }
  /// The code point at `i`, or 0 outside the sentence.
  char32_t peek(size_t i) const { return i < text.size() ? text[i] : 0; }
  char32_t before(size_t i) const { return i > 0 ? text[i - 1] : 0; }
  bool says(size_t i, std::u32string_view what) const {
    return i <= text.size() && !what.empty() && text.substr(i).starts_with(what);
  }
  /// `what` stands at `i` and no letter or digit goes on behind it.
  bool says_word(size_t i, std::u32string_view what) const {
    return says(i, what) && !is_word_char(peek(i + what.size()));
  }
  /// The word that ends before `i`, not counting one space and one full stop; at most 16 long.
  std::u32string_view word_before(size_t i) const;
};

struct Spoken {
  std::u32string words;
  size_t end = 0;
};
using Match = std::optional<Spoken>;

/// `pattern` with every {x} replaced by the value that `values` gives for x.
struct Filling {
  char32_t name;
  std::u32string_view value;
};
std::u32string fill(std::u32string_view pattern, std::initializer_list<Filling> values);

}  // namespace kani
