// text_blocks.h - a long text a few thousand bytes at a time, cut where a sentence ends, so that
// the memory of the text front end (some hundred bytes per character) does not grow with a book.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kani/text/text.h"

namespace kani {

class TextBlocks {
 public:
  /// `text` must outlive the blocks; valid UTF-8.
  TextBlocks(std::string_view text, std::string language);

  /// The next block as bytes of the text; together they cover all of it.  Nothing at the end.
  std::optional<TextRange> next();

 private:
  std::string_view text_;
  std::string language_;
  size_t begin_ = 0;
};

}  // namespace kani
