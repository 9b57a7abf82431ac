// tools.cc - makes and keeps the tools of a language.
#include "kani/text/tools.h"

#include <unicode/locid.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>
#include <unicode/ures.h>

#include <map>
#include <memory>
#include <mutex>

namespace kani {

namespace {

struct CloseBundle {
  void operator()(UResourceBundle* bundle) const { ures_close(bundle); }
};
using Bundle = std::unique_ptr<UResourceBundle, CloseBundle>;

/// CLDR's list of words that a full stop belongs to.  ICU offers it to its filtered break iterator
/// only, which cannot see what follows; hence the list itself, from the same resource.  A language
/// without a list, or an ICU built without these data, gives none.
std::set<std::u32string, std::less<>> read_suppressions(const std::string& tag) {
  std::set<std::u32string, std::less<>> words;
  UErrorCode status = U_ZERO_ERROR;
  // Direct: no fall-back to the list of the system's locale.
  const Bundle root(ures_openDirect(U_ICUDATA_NAME "-brkitr", tag.c_str(), &status));
  const Bundle exceptions(ures_getByKey(root.get(), "exceptions", nullptr, &status));
  const Bundle list(ures_getByKey(exceptions.get(), "SentenceBreak", nullptr, &status));
  if (U_FAILURE(status)) return words;
  for (int32_t i = 0; i < ures_getSize(list.get()); ++i) {
    int32_t length = 0;
    UErrorCode item_status = U_ZERO_ERROR;
    const UChar* text = ures_getStringByIndex(list.get(), i, &length, &item_status);
    if (U_FAILURE(item_status)) continue;
    const icu::UnicodeString word(text, length);
    std::u32string code_points;
    for (int32_t k = 0; k < word.length(); k = word.moveIndex32(k, 1)) {
      code_points.push_back(static_cast<char32_t>(word.char32At(k)));
    }
    words.insert(std::move(code_points));
  }
  return words;
}

const Language& table_or_empty(const std::string& tag) {
  static constexpr Language kEmpty{.tag = "und", .fraction_style = FractionStyle::kRules};
  const Language* table = find_language(tag);
  return table ? *table : kEmpty;
}

char32_t first_of(char32_t stated, char32_t from_locale) { return stated ? stated : from_locale; }

/// "minus " of the table, else what ICU puts before the word for one.
std::u32string minus_word(const Language& language, const Speller& speller) {
  if (!language.minus.empty()) {
    return std::u32string(language.minus).append(language.word_space);
  }
  const std::u32string one = speller.spell(1), minus_one = speller.spell(-1);
  if (!minus_one.ends_with(one)) return U"-";
  return minus_one.substr(0, minus_one.size() - one.size());
}

/// The languages that ICU has a locale for.
std::set<std::string> known_languages() {
  std::set<std::string> tags;
  for (int32_t i = 0; i < uloc_countAvailable(); ++i) {
    tags.insert(icu::Locale(uloc_getAvailable(i)).getLanguage());
  }
  return tags;
}

}  // namespace

TextTools::TextTools(const std::string& tag)
    : language(table_or_empty(tag)),
      has_table(find_language(tag) != nullptr),
      speller(tag),
      breaks(tag),
      suppressions(read_suppressions(tag)),
      decimal_mark(first_of(language.decimal_mark, speller.decimal_mark())),
      group_mark(first_of(language.group_mark, speller.group_mark())),
      minus(minus_word(language, speller)) {}

const TextTools& tools_for(std::string_view language_tag) {
  static const std::set<std::string> known = known_languages();
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<const TextTools>, std::less<>> made;
  std::string tag = language_of(language_tag);
  if (!known.contains(tag)) tag = "und";
  const std::lock_guard lock(mutex);
  const auto found = made.find(tag);
  if (found != made.end()) return *found->second;
  return *made.emplace(tag, std::make_unique<const TextTools>(tag)).first->second;
}

}  // namespace kani
