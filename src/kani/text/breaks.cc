// breaks.cc - ICU's break iterators work on UTF-16; the boundaries are counted back to code points.
#include "kani/text/breaks.h"

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include "kani/base/error.h"

namespace kani {

namespace {

std::unique_ptr<icu::BreakIterator> make(BreakKind kind, const icu::Locale& locale) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> made;
  switch (kind) {
    case BreakKind::kSentence:
      made.reset(icu::BreakIterator::createSentenceInstance(locale, status));
      break;
    case BreakKind::kWord:
      made.reset(icu::BreakIterator::createWordInstance(locale, status));
      break;
    case BreakKind::kGrapheme:
      made.reset(icu::BreakIterator::createCharacterInstance(locale, status));
      break;
  }
  if (U_FAILURE(status) || !made) {
    throw Error(ErrorCode::kInternal, "unicode break rules are missing: ", u_errorName(status));
  }
  return made;
}

}  // namespace

struct Breaks::Iterators {
  std::unique_ptr<icu::BreakIterator> sentence, word, grapheme;
};

Breaks::Breaks(const std::string& locale) : iterators_(std::make_unique<Iterators>()) {
  const icu::Locale icu_locale(locale.c_str());
  iterators_->sentence = make(BreakKind::kSentence, icu_locale);
  iterators_->word = make(BreakKind::kWord, icu_locale);
  iterators_->grapheme = make(BreakKind::kGrapheme, icu_locale);
}

Breaks::Breaks(Breaks&&) noexcept = default;
Breaks::~Breaks() = default;

std::vector<size_t> Breaks::ends(BreakKind kind, std::u32string_view text) const {
  const std::unique_ptr<icu::BreakIterator>& prototype =
      kind == BreakKind::kSentence ? iterators_->sentence
      : kind == BreakKind::kWord   ? iterators_->word
                                   : iterators_->grapheme;
  const std::unique_ptr<icu::BreakIterator> iterator(prototype->clone());
  if (!iterator) throw Error(ErrorCode::kOutOfMemory, "no memory for a break iterator");
  const icu::UnicodeString units = icu::UnicodeString::fromUTF32(
      reinterpret_cast<const UChar32*>(text.data()), static_cast<int32_t>(text.size()));
  iterator->setText(units);
  std::vector<size_t> ends;
  size_t code_point = 0;
  int32_t unit = 0;
  for (int32_t end = iterator->next(); end != icu::BreakIterator::DONE; end = iterator->next()) {
    while (unit < end && code_point < text.size()) {
      unit += text[code_point] > 0xFFFF ? 2 : 1;
      ++code_point;
    }
    ends.push_back(code_point);
  }
  return ends;
}

}  // namespace kani
