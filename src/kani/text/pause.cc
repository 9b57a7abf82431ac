// pause.cc - finds pause tags; each opening bracket is looked at once and no tag is longer than 32.
#include "kani/text/pause.h"

#include <optional>

#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr double kLongestPause = 10, kLongestSum = 60;  // seconds
constexpr std::u32string_view kOpening = U"[pause:";
constexpr size_t kMostDigits = 6;  // on either side of the point: more than any legal tag needs

struct Tag {
  double seconds = 0;
  size_t length = 0;
};

/// Digits from `i` on; how many there are is limited, so nothing overflows.
size_t read_digits(std::u32string_view text, size_t i, double& value, double& scale) {
  const size_t first = i;
  while (i < text.size() && i - first < kMostDigits && is_ascii_digit(text[i])) {
    value = value * 10 + static_cast<double>(text[i] - U'0');
    scale *= 10;
    ++i;
  }
  return i;
}

std::optional<Tag> read_tag(std::u32string_view text) {
  if (!text.starts_with(kOpening)) return std::nullopt;
  double value = 0, whole_scale = 1, fraction_scale = 1;
  size_t i = read_digits(text, kOpening.size(), value, whole_scale);
  if (i == kOpening.size()) return std::nullopt;
  if (i < text.size() && text[i] == U'.') {
    const size_t point = i;
    i = read_digits(text, i + 1, value, fraction_scale);
    if (i == point + 1) return std::nullopt;
  }
  const std::u32string_view rest = text.substr(i);
  if (rest.starts_with(U"s]")) return Tag{value / fraction_scale, i + 2};
  if (rest.starts_with(U"ms]")) return Tag{value / fraction_scale / 1000, i + 3};
  return std::nullopt;
}

}  // namespace

PausedText take_pause_tags(MappedText text) {
  PausedText out;
  if (text.text.find(kOpening) == std::u32string::npos) {
    out.text = std::move(text);
    return out;
  }
  double sum = 0;
  for (size_t i = 0; i < text.size();) {
    const std::optional<Tag> tag =
        text.text[i] == U'[' ? read_tag(std::u32string_view(text.text).substr(i)) : std::nullopt;
    if (tag && tag->seconds <= kLongestPause && sum + tag->seconds <= kLongestSum) {
      sum += tag->seconds;
      out.pauses.push_back({text.source[i].begin, tag->seconds});
      out.text.append(kPauseMark, text.span(i, i + tag->length));
      i += tag->length;
    } else {
      out.text.append(text.text[i], text.source[i]);
      ++i;
    }
  }
  return out;
}

}  // namespace kani
