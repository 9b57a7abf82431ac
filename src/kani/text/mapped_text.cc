// mapped_text.cc - from the user's bytes to code points that know them.
#include "kani/text/mapped_text.h"

#include "kani/base/utf8.h"
#include "kani/text/pause.h"

namespace kani {

MappedText map_utf8(std::string_view text) {
  MappedText out;
  out.text.reserve(text.size());
  out.source.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const CodePoint point = decode_utf8(text.substr(i));
    const char32_t value = point.value == kPauseMark ? U'\uFFFD' : point.value;
    out.append(value, {static_cast<uint32_t>(i), static_cast<uint32_t>(i + point.length)});
    i += point.length;
  }
  return out;
}

}  // namespace kani
