// mapped_text.h - text that remembers where each of its code points came from.
//
// Every step of the front end turns one MappedText into the next.  Granularity: a code point that
// was copied knows its own bytes; code points that were written in place of something (the words of
// a number, the composed letter of a run that NFC changed) all know the whole span that they
// replace; what was put in without a model (a full stop behind a heading) has an empty range at
// that place. Begins and ends never decrease from one code point to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Bytes [begin, end) of the user's text.  32 bits: text.cc refuses texts above kMaxTextBytes.
struct SourceRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// Code points [begin, end) of a text inside the front end.
struct Span {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
};

struct MappedText {
  std::u32string text;
  std::vector<SourceRange> source;  // as many as code points

  size_t size() const noexcept { return text.size(); }
  /// The code point at `i`, or 0 past the end.
  char32_t at(size_t i) const noexcept { return i < text.size() ? text[i] : 0; }
  void append(char32_t c, SourceRange from) {
    text.push_back(c);
    source.push_back(from);
  }
  /// `words` in place of `from`.
  void append(std::u32string_view words, SourceRange from) {
    text.append(words);
    source.insert(source.end(), words.size(), from);
  }
  /// Code points [begin, end) of `other` with their sources.
  void append(const MappedText& other, size_t begin, size_t end) {
    text.append(other.text, begin, end - begin);
    source.insert(source.end(), other.source.begin() + static_cast<std::ptrdiff_t>(begin),
                  other.source.begin() + static_cast<std::ptrdiff_t>(end));
  }
  /// Source of the code points [begin, end), which must not be empty.
  SourceRange span(size_t begin, size_t end) const noexcept {
    return {source[begin].begin, source[end - 1].end};
  }
};

/// Decodes UTF-8; an invalid sequence becomes one U+FFFD, and so does U+FDD0, which the front end
/// uses for itself (pause.h).  `text` is below 4 GiB.
MappedText map_utf8(std::string_view text);

}  // namespace kani
