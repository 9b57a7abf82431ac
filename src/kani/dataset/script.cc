// script.cc - in which scripts a language is written, from ICU's locale data.  See clip_text.h.
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "kani/base/utf8.h"
#include "kani/dataset/clip_text.h"
#include "kani/text/language.h"

namespace kani {

double script_share(std::string_view text, std::string_view language) {
  const std::string tag = language_of(language);
  UScriptCode scripts[8];
  UErrorCode status = U_ZERO_ERROR;
  const int32_t found = uscript_getCode(tag.c_str(), scripts, 8, &status);
  if (U_FAILURE(status) || found <= 0) return 1;
  size_t letters = 0, own = 0;
  for (const char32_t c : to_utf32(text)) {
    if (!u_isalpha(static_cast<UChar32>(c))) continue;
    status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(static_cast<UChar32>(c), &status);
    if (U_FAILURE(status) || script == USCRIPT_COMMON || script == USCRIPT_INHERITED) continue;
    ++letters;
    own += std::find(scripts, scripts + found, script) != scripts + found ? 1 : 0;
  }
  return letters == 0 ? 1 : static_cast<double>(own) / static_cast<double>(letters);
}

}  // namespace kani
