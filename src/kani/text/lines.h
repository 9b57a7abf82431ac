// lines.h - which line breaks mean something.  Plain text comes wrapped at 72 columns, as verse, as
// lists and as headings without a full stop; only its shape tells them apart.
#pragma once

#include <vector>

#include "kani/text/mapped_text.h"

namespace kani {

inline constexpr char32_t kLineBreak = 0x2028;       // ends a sentence
inline constexpr char32_t kParagraphBreak = 0x2029;  // ends a sentence and a paragraph

/// `text` as clean() leaves it, every line break decided:
///  - one or more blank lines: one kParagraphBreak;
///  - U+2028, which says so itself; before and after a Markdown heading, before a list item; after
///  a
///    line much shorter than the others of its block (a heading, the end of a paragraph); between
///    lines none of which begins with a small letter, in a block of short lines (verse, addresses,
///    lists): kLineBreak;
///  - else the line was wrapped: a space, nothing between East Asian characters and behind a
///  hyphen.
/// Bullets at the start of a line are dropped.  Linear.
MappedText resolve_lines(const MappedText& text);

/// The stretches of any text between breaks that end a sentence, by the same rules; bullets and
/// wrapped line breaks stay inside.  A CR LF pair is one break, U+2029 and a form feed are blank
/// lines.
std::vector<Span> find_line_stretches(std::u32string_view text);

}  // namespace kani
