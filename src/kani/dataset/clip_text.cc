// clip_text.cc - see clip_text.h.
#include "kani/dataset/clip_text.h"

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/text/libraries.h"
#include "kani/text/text.h"
#include "kani/text/unicode.h"

namespace kani {
namespace {

// To be raised when src/kani/text/ gives other text for the same input.
constexpr int kFrontEndVersion = 1;

std::optional<Reject> check_raw(std::string_view raw, const ClipLimits& limits) {
  if (const auto at = find_invalid_utf8(raw))
    return Reject{RejectReason::kTextEncoding, static_cast<double>(*at), "not UTF-8 at this byte"};
  if (const size_t length = utf8_length(raw); length > 4 * limits.max_characters)
    return Reject{RejectReason::kTextLength, static_cast<double>(length),
                  concat("at most ", limits.max_characters, " characters")};
  bool blank = true;
  for (const char32_t c : to_utf32(raw)) {
    const bool space = c == U'\t' || c == U'\n' || c == U'\r';
    if (!space && (c < 0x20 || (c >= 0x7F && c < 0xA0 && c != 0x85)))
      return Reject{RejectReason::kTextControl, static_cast<double>(c), "a control character"};
    blank = blank && (space || is_space(c) || is_line_break(c));
  }
  if (blank) return Reject{RejectReason::kTextMissing, 0, "nothing, or white space"};
  return std::nullopt;
}

/// Line breaks become spaces: a clip is one line.
std::string one_line(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c != '\n') {
      out += c;
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out;
}

}  // namespace

std::optional<Reject> prepare_text(std::string_view raw, std::string_view language,
                                   const TextOptions& options, const ClipLimits& limits,
                                   ClipText& text) {
  if (auto reject = check_raw(raw, limits)) return reject;
  text.text = one_line(
      normalize_text(raw, {.language = std::string(language), .spell_numbers = options.expand}));
  const std::u32string code_points = to_utf32(text.text);
  text.characters = code_points.size();
  text.spoken = 0;
  bool speakable = false;
  for (const char32_t c : code_points) {
    text.spoken += spoken_length(c);
    speakable = speakable || is_speakable(c);
  }
  if (!speakable) return Reject{RejectReason::kTextUnspeakable, {}, "no letter and no number"};
  if (text.characters > limits.max_characters)
    return Reject{RejectReason::kTextLength, static_cast<double>(text.characters),
                  concat("at most ", limits.max_characters, " characters")};
  if (language.empty()) return std::nullopt;
  if (const double share = script_share(text.text, language); share < limits.min_script_share)
    return Reject{RejectReason::kTextScript, share,
                  concat("letters in a script of ", printable(language, 40), ", at least ",
                         limits.min_script_share)};
  return std::nullopt;
}

std::optional<Reject> check_given_text(std::string_view raw, const ClipLimits& limits) {
  if (auto reject = check_raw(raw, limits)) return reject;
  const size_t length = utf8_length(raw);
  if (length <= limits.max_characters) return std::nullopt;
  return Reject{RejectReason::kTextLength, static_cast<double>(length),
                concat("at most ", limits.max_characters, " characters")};
}

std::optional<Reject> check_speech_rate(const ClipText& text, double seconds,
                                        const ClipLimits& limits) {
  const double rate = static_cast<double>(text.spoken) / seconds;
  if (rate >= limits.min_characters_per_second && rate <= limits.max_characters_per_second)
    return std::nullopt;
  return Reject{RejectReason::kSpeechRate, rate,
                concat(limits.min_characters_per_second, " to ", limits.max_characters_per_second,
                       " characters a second")};
}

std::string text_rules(const TextOptions& options) {
  std::string rules = concat("kani front end ", kFrontEndVersion);
  for (const auto& [name, version] : text_libraries()) rules += concat(", ", name, " ", version);
  return rules + (options.expand ? ", expanded" : ", as written");
}

}  // namespace kani
