// voice_names.h - what voices are called: identifiers, mixes "a(0.7)+b(0.3)", OpenAI's names, and
// the two small JSON files that give other names to voices.  Strings to strings, no files.
// Source: interfaces.md 8.3, 8.4.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kani {

/// [A-Za-z0-9][A-Za-z0-9._-]{0,63} without "..".
bool is_voice_id(std::string_view name);

/// ASCII letters in lower case: identifiers are compared so.
std::string lower_case(std::string_view text);
bool equal_without_case(std::string_view a, std::string_view b);

/// The identifier of a voice that a person calls `name`: `name` itself if it is one, else in lower
/// case with "-" for blanks and without all that does not fit ("My voice" becomes "my-voice").
/// Throws Error(kInvalidArgument) if nothing is left, for "random", and for what looks like a path
/// or holds control characters.
std::string voice_id_of(std::string_view name);

/// The names that clients of OpenAI send, in a fixed order.
inline constexpr std::array<std::string_view, 13> kOpenAiVoices = {
    "alloy", "ash",  "ballad", "cedar", "coral",   "echo", "fable",
    "marin", "nova", "onyx",   "sage",  "shimmer", "verse"};

/// Files beside voices that give them other names.
inline constexpr const char* kSpeakerMapFile = "speaker_map.json";
inline constexpr const char* kOpenAiVoicesFile = "openai_voices.json";

struct MixTerm {
  std::string voice;  // whatever names a voice; not empty
  double weight = 0;  // all of them add up to 1
};

/// Whether `text` can only be meant as a mix: it holds "(" or "+".
bool looks_like_mix(std::string_view text);
/// "a(0.7)+b(0.3)": weights are decimal numbers from a millionth to a million;
/// blanks around names and weights do not count.  A name may hold brackets, the weight is in the
/// last ones.  At most 32 voices.  Throws Error(kInvalidArgument) that says what was expected at
/// which character.
std::vector<MixTerm> parse_mix(std::string_view text);

/// speaker_map.json of the vLLM peer: {"David (en)": "./speakers/david_en.pt"}, name and file in
/// the order of the names.  Files are relative and without ".."; the caller joins them to the
/// folder of the map.  Throws Error(kBadInput, "<where>: …").
std::vector<std::pair<std::string, std::string>> parse_speaker_map(std::string_view json,
                                                                   const std::string& where);

/// openai_voices.json: {"alloy": "david_en"}, keys out of kOpenAiVoices.  Throws Error(kBadInput,
/// "<where>: …").
std::map<std::string, std::string> parse_openai_voices(std::string_view json,
                                                       const std::string& where);

}  // namespace kani
