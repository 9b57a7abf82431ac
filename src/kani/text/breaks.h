// breaks.h - ICU's sentence, word and character boundaries, in code points.
// Source: UAX #29 as ICU implements it; words of Thai, Chinese and Japanese from ICU's
// dictionaries.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

enum class BreakKind { kSentence, kWord, kGrapheme };

/// Thread-safe: the iterators kept here are only ever cloned.
class Breaks {
 public:
  explicit Breaks(const std::string& locale);
  Breaks(Breaks&&) noexcept;
  ~Breaks();

  /// Ends of the pieces of `text`, ascending, the last one text.size(); empty for an empty text.
  /// Only walks forward, so it is linear also for a text of one piece.
  std::vector<size_t> ends(BreakKind kind, std::u32string_view text) const;

 private:
  struct Iterators;
  std::unique_ptr<Iterators> iterators_;
};

}  // namespace kani
