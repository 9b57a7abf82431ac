// clip_text.h - a record's text as the model will read it: checked, then through the same front end
// that the engine speaks with.  Source: training.md 15.6, 15.7.
// Not here: ids (clip_maker.h), how long it takes to say against how long the clip is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kani/dataset/clip_limits.h"
#include "kani/dataset/reject.h"

namespace kani {

struct TextOptions {
  bool expand = false;  // numbers, signs and abbreviations in words; false: what is written stays
};

struct ClipText {
  std::string text;       // one line
  size_t characters = 0;  // code points
  size_t spoken = 0;      // the same with East Asian ones counted by how long they take to say
};

/// Fills `text`, or says why not: kTextMissing, kTextEncoding, kTextControl (tabs and line breaks
/// may be), kTextLength (before or after), kTextScript, kTextUnspeakable.
/// Without `expand`, what comes out goes through again unchanged.
std::optional<Reject> prepare_text(std::string_view raw, std::string_view language,
                                   const TextOptions& options, const ClipLimits& limits,
                                   ClipText& text);

/// The same checks of a text that stays as it is: of its characters and how many there are.
std::optional<Reject> check_given_text(std::string_view raw, const ClipLimits& limits);

/// kSpeechRate, or nothing.
std::optional<Reject> check_speech_rate(const ClipText& text, double seconds,
                                        const ClipLimits& limits);

/// Name and version of what prepare_text does: changes with the front end, with ICU and with
/// `expand`.
std::string text_rules(const TextOptions& options);

/// Share of the letters that belong to a script in which `language` is written, by ICU's data; 1
/// for text without letters and for a language that ICU does not know.
double script_share(std::string_view text, std::string_view language);

}  // namespace kani
