// languages.h - the tables of language.h, one file each.
#pragma once

#include "kani/text/language.h"

namespace kani {

extern const Language kArabic, kChinese, kEnglish, kFrench, kGerman, kItalian, kJapanese, kKorean,
    kKyrgyz, kPortuguese, kRussian, kSpanish;

}  // namespace kani
