// spoken_words.cc - see spoken_words.h.
#include "kani/eval/spoken_words.h"

#include "kani/base/utf8.h"
#include "kani/text/text.h"
#include "kani/text/unicode.h"

namespace kani {
namespace {

constexpr double kLettersPerSecond = 15;
constexpr double kSilenceSeconds = 0.3;

bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’' || c == U'ʼ' || c == U'`'; }
bool is_part(char32_t c) { return is_word_char(c) || is_mark(c); }

}  // namespace

std::vector<std::string> spoken_words(std::string_view text, std::string_view language) {
  const std::u32string spelled = to_utf32(normalize_text(
      text, {std::string(language), /*spell_numbers=*/true, /*strip_markdown=*/false}));
  std::vector<std::string> words;
  std::string word;
  for (size_t i = 0; i < spelled.size(); ++i) {
    const char32_t c = spelled[i];
    const bool inside = !word.empty() && i + 1 < spelled.size() && is_part(spelled[i + 1]);
    if (is_part(c)) {
      append_utf8(word, to_lower(c));
    } else if (is_apostrophe(c) && inside) {
      word += '\'';
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::u32string spoken_characters(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return to_utf32(text);
}

double expected_seconds(std::string_view text, std::string_view language) {
  size_t length = 0;
  for (const char32_t c : spoken_characters(spoken_words(text, language)))
    length += spoken_length(c);
  return kSilenceSeconds + static_cast<double>(length) / kLettersPerSecond;
}

}  // namespace kani
