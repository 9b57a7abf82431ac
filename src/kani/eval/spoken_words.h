// spoken_words.h - a text as the words by which it is compared with what was heard.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Both texts, the spoken and the heard, pass through the same steps:
///  - the front end of the text's language: NFC, numbers, dates, money, symbols and common
///    abbreviations in words, as the model speaks them;
///  - lower case;
///  - an apostrophe between letters stays and is written ' ("don't"), every other sign that is
///    neither letter, mark nor digit parts words, hyphens too ("well-known" is two words);
///  - Han, kana and Hangul are not parted: there the character error rate is the figure to look at.
/// `language` as in NormalizeOptions.
std::vector<std::string> spoken_words(std::string_view text, std::string_view language);

/// The words with one space between them, as code points: what the character error rate compares.
std::u32string spoken_characters(const std::vector<std::string>& words);

/// How long the text takes to say at an ordinary pace, in seconds: letters and digits counted as
/// text/unicode.h does, 15 of them a second, and 0.3 s of silence around them.  A rough measure: a
/// reader who is quick or slow differs by a third.
double expected_seconds(std::string_view text, std::string_view language);

}  // namespace kani
