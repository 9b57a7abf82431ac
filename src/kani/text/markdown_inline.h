// markdown_inline.h - the marks inside a block of Markdown.
#pragma once

#include "kani/text/mapped_text.h"

namespace kani {

/// Appends the text of `block` (one paragraph, heading or table row, line breaks inside) to `out`
/// without escapes, code marks, links, tags, emphasis and entities.  Linear.
void append_inline(const MappedText& block, MappedText& out);

}  // namespace kani
