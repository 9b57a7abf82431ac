// clean.cc - filter first, then NFC run by run, so that what a dropped character kept apart is
// composed.
#include "kani/text/clean.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "kani/base/error.h"
#include "kani/text/lines.h"
#include "kani/text/pause.h"
#include "kani/text/unicode.h"

namespace kani {

namespace {

constexpr size_t kMostMarks = 30;

bool is_variation_selector(char32_t c) {
  return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

bool is_joiner(char32_t c) { return c == 0x200C || c == 0x200D; }

bool is_invisible(char32_t c) {
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  if (is_variation_selector(c) || c == 0x034F) return true;
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_CC_MASK | U_GC_CF_MASK)) != 0;
}

/// The first half of clean(): everything but NFC.
class Filter {
 public:
  explicit Filter(const MappedText& in) : in_(in) {
    out_.text.reserve(in.size());
    out_.source.reserve(in.size());
  }

  MappedText run() {
    for (size_t i = 0; i < in_.size(); ++i) {
      const char32_t c = in_.text[i];
      if (is_line_break(c)) {
        i = line_break(i);
      } else if (is_space(c)) {
        space(i);
      } else if (c == kPauseMark || !skip(i)) {
        keep(i);
      }
    }
    while (!out_.text.empty() && (out_.text.back() == U' ' || is_line_break(out_.text.back()))) {
      out_.text.pop_back();
      out_.source.pop_back();
    }
    return std::move(out_);
  }

 private:
  char32_t last() const { return out_.text.empty() ? U'\n' : out_.text.back(); }

  /// Returns the index of the break's last code point.
  size_t line_break(size_t i) {
    const size_t end = in_.text[i] == U'\r' && in_.at(i + 1) == U'\n' ? i + 1 : i;
    if (last() == U' ') {
      out_.text.pop_back();
      out_.source.pop_back();
    }
    if (out_.text.empty()) return end;
    const char32_t c = in_.text[i];
    out_.append(c == kLineBreak ? kLineBreak : U'\n', in_.span(i, end + 1));
    if (c == U'\f' || c == kParagraphBreak) out_.append(U'\n', in_.span(i, end + 1));
    return end;
  }

  void space(size_t i) {
    const char32_t c = in_.text[i];
    const bool groups = (c == 0xA0 || c == 0x2007 || c == 0x2009 || c == kGroupSpace) &&
                        is_digit(last()) && is_digit(in_.at(i + 1));
    if (groups) {
      out_.append(kGroupSpace, in_.source[i]);
    } else {
      plain_space(i);
    }
  }

  void plain_space(size_t i) {
    if (last() != U' ' && !is_line_break(last())) out_.append(U' ', in_.source[i]);
  }

  /// Whether the code point goes; a picture leaves a space.
  bool skip(size_t i) {
    const char32_t c = in_.text[i];
    if (is_joiner(c)) return !needs_joiners(last(), in_.at(i + 1));
    if (is_unspeakable_sign(c)) {
      plain_space(i);
      return true;
    }
    return is_invisible(c);
  }

  void keep(size_t i) {
    const char32_t c = in_.text[i];
    marks_ = is_mark(c) ? marks_ + 1 : 0;
    if (marks_ > kMostMarks) return;
    const bool hyphen = c == 0x2010 || c == 0x2011;  // one hyphen is enough for the rules behind
    out_.append(hyphen ? U'-' : c, in_.source[i]);
  }

  const MappedText& in_;
  MappedText out_;
  size_t marks_ = 0;
};

/// Appends in[begin, end), a run that NFC treats on its own, composed.
void append_composed(const MappedText& in, size_t begin, size_t end, const icu::Normalizer2& nfc,
                     MappedText& out) {
  static_assert(sizeof(UChar32) == sizeof(char32_t));
  const icu::UnicodeString run = icu::UnicodeString::fromUTF32(
      reinterpret_cast<const UChar32*>(in.text.data() + begin), static_cast<int32_t>(end - begin));
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString composed = nfc.normalize(run, status);
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::kInternal, "unicode normalization failed: ", u_errorName(status));
  }
  if (composed == run) {
    out.append(in, begin, end);
    return;
  }
  for (int32_t i = 0; i < composed.length();) {
    const UChar32 c = composed.char32At(i);
    out.append(static_cast<char32_t>(c), in.span(begin, end));
    i += U16_LENGTH(c);
  }
}

MappedText compose(MappedText in) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::kInternal, "unicode data are missing: ", u_errorName(status));
  }
  bool simple = true;
  for (const char32_t c : in.text) simple = simple && c < 0x300;
  if (simple) return in;
  MappedText out;
  out.text.reserve(in.size());
  out.source.reserve(in.size());
  for (size_t i = 0; i < in.size();) {
    size_t end = i + 1;
    while (end < in.size() && in.text[end] >= 0x300 &&
           !nfc->hasBoundaryBefore(static_cast<UChar32>(in.text[end]))) {
      ++end;
    }
    if (end == i + 1 && nfc->isInert(static_cast<UChar32>(in.text[i]))) {
      out.append(in.text[i], in.source[i]);
    } else {
      append_composed(in, i, end, *nfc, out);
    }
    i = end;
  }
  return out;
}

}  // namespace

MappedText clean(const MappedText& text) { return compose(Filter(text).run()); }

}  // namespace kani
