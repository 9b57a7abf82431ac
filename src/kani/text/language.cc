// language.cc - the list of languages with a table of their own.
#include "kani/text/language.h"

#include "kani/text/languages/languages.h"

namespace kani {

const Language* find_language(std::string_view tag) {
  static constexpr const Language* kLanguages[] = {
      &kArabic,   &kChinese, &kEnglish, &kFrench,     &kGerman,  &kItalian,
      &kJapanese, &kKorean,  &kKyrgyz,  &kPortuguese, &kRussian, &kSpanish,
  };
  for (const Language* language : kLanguages) {
    if (language->tag == tag) return language;
  }
  return nullptr;
}

std::string language_of(std::string_view tag) {
  const std::string_view part = tag.substr(0, tag.find_first_of("_-"));
  if (part.empty()) return tag.empty() ? "en" : "und";
  if (part.size() < 2 || part.size() > 8) return "und";
  std::string lower;
  for (const char c : part) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    if (small < 'a' || small > 'z') return "und";
    lower.push_back(small);
  }
  return lower;
}

}  // namespace kani
