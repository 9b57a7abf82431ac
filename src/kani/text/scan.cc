// scan.cc - looking back for a word, filling patterns.
#include "kani/text/scan.h"

namespace kani {

std::u32string_view Scan::word_before(size_t i) const {
  constexpr size_t kLongest = 16;
  if (i > 0 && text[i - 1] == U' ') --i;
  if (i > 0 && text[i - 1] == U'.') --i;
  size_t begin = i;
  while (begin > 0 && i - begin < kLongest && is_letter(text[begin - 1])) --begin;
  return text.substr(begin, i - begin);
}

std::u32string fill(std::u32string_view pattern, std::initializer_list<Filling> values) {
  std::u32string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != U'{' || i + 2 >= pattern.size()) {
      out.push_back(pattern[i]);
      continue;
    }
    for (const Filling& filling : values) {
      if (filling.name == pattern[i + 1]) out.append(filling.value);
    }
    i += 2;
  }
  return out;
}

}  // namespace kani
