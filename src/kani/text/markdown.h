// markdown.h - the words of a Markdown text without its marks.
// Source: CommonMark 0.30 and GitHub's tables, strikethrough and task lists; a reader for
// listening, not a renderer: where the two differ (nested links, the rule of three) the simpler
// reading is taken.
#pragma once

#include "kani/text/mapped_text.h"

namespace kani {

/// Headings, paragraphs, quotes and code keep their text; links and images keep theirs; list items
/// keep a bullet or number and table rows become lines with commas between the cells; front matter,
/// comments, tags, reference definitions, footnote marks and rules go.  Any text is accepted.
/// Linear.
MappedText strip_markdown(const MappedText& text);

}  // namespace kani
