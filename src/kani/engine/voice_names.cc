// voice_names.cc - see voice_names.h.
#include "kani/engine/voice_names.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

constexpr size_t kMaxId = 64;
constexpr size_t kMaxName = 200;  // bytes of a display name or a file's name in a map
constexpr size_t kMaxMixed = 32;
constexpr double kMinWeight = 1e-6, kMaxWeight = 1e6;  // beyond them one voice drowns the other
constexpr JsonLimits kJsonLimits{.depth = 2, .values = 20'001, .refuse_duplicates = true};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_id_character(char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7F;
  });
}

// ---- mixes

class MixReader {
 public:
  explicit MixReader(std::string_view text) : text_(text) {}

  std::vector<MixTerm> read() {
    std::vector<MixTerm> terms;
    for (size_t begin = 0;;) {
      const size_t plus = std::min(text_.find('+', begin), text_.size());
      if (terms.size() == kMaxMixed) fail(begin, "at most ", kMaxMixed, " voices are mixed");
      terms.push_back(term(begin, plus));
      if (plus == text_.size()) break;
      begin = plus + 1;
    }
    double sum = 0;
    for (const MixTerm& term : terms) sum += term.weight;
    for (MixTerm& term : terms) term.weight /= sum;
    return terms;
  }

 private:
  template <typename... Parts>
  [[noreturn]] void fail(size_t at, const Parts&... parts) const {
    throw Error(ErrorCode::kInvalidArgument, "voice mix ", printable(text_), ": character ",
                utf8_length(text_.substr(0, at)) + 1, ": ", parts...)
        .with_hint("a mix is written as a(0.7)+b(0.3)");
  }

  MixTerm term(size_t begin, size_t end) const {
    const std::string_view whole = text_.substr(begin, end - begin);
    const size_t last = whole.find_last_not_of(' ');
    if (last == std::string_view::npos) fail(begin, "a voice is due, found nothing");
    if (whole[last] != ')') fail(begin + last + 1, "a weight in brackets is due");
    const size_t open = whole.rfind('(', last);
    if (open == std::string_view::npos) fail(begin + last, "\")\" without \"(\"");
    const std::string_view name = trimmed(whole.substr(0, open));
    if (name.empty()) fail(begin + open, "a voice is due before \"(\"");
    return {std::string(name), weight(begin + open + 1, whole.substr(open + 1, last - open - 1))};
  }

  double weight(size_t at, std::string_view padded) const {
    const std::string_view text = trimmed(padded);
    const std::string shown = text.empty() ? "nothing" : printable(text, 40);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    // from_chars knows "nan" and "inf", which are no weights.
    const bool number =
        error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
    if (!number) fail(at, "the weight is ", shown, ", expected a number");
    if (value <= 0) fail(at, "the weight is ", shown, ", must be above 0");
    if (value < kMinWeight || value > kMaxWeight)
      fail(at, "the weight is ", shown, ", must be 0.000001 to 1000000");
    return value;
  }

  std::string_view text_;
};

// ---- files of names

template <typename... Parts>
[[noreturn]] void refuse(const std::string& where, const Parts&... parts) {
  throw Error(ErrorCode::kBadInput, where, ": ", parts...);
}

/// The members of an object of strings, each of a decent length and without control characters.
std::map<std::string, std::string> read_names(std::string_view json, const std::string& where) {
  const Json document = parse_json(json, where, kJsonLimits);
  if (!document.is_object()) refuse(where, "expected an object of names");
  std::map<std::string, std::string> names;
  for (const auto& [key, value] : document.items()) {
    const std::string shown = printable(key, 60);
    if (!value.is_string()) refuse(where, "\"", shown, "\" is not given a text");
    const auto text = value.get<std::string>();
    if (key.empty() || key.size() > kMaxName || text.empty() || text.size() > kMaxName) {
      refuse(where, "\"", shown, "\": names have 1 to ", kMaxName, " bytes");
    }
    if (has_control(key) || has_control(text))
      refuse(where, "\"", shown, "\": control characters in a name");
    names.emplace(key, text);
  }
  return names;
}

/// "./speakers/a.pt" as "speakers/a.pt"; empty if it could lead out of its folder.
std::string inner_path(std::string_view path) {
  if (path.starts_with('/') || path.find('\\') != std::string_view::npos) return {};
  std::string out;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == "..") return {};
    if (part.empty() || part == ".") continue;
    out += out.empty() ? "" : "/";
    out += part;
  }
  return out;
}

}  // namespace

bool is_voice_id(std::string_view name) {
  return !name.empty() && name.size() <= kMaxId && is_letter_or_digit(name[0]) &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), is_id_character);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower_case(a) == lower_case(b);
}

std::string voice_id_of(std::string_view name) {
  const std::string shown = printable(name);
  const auto refused = [&](const char* why) {
    return Error(ErrorCode::kInvalidArgument, "a voice cannot be called \"", shown, "\": ", why)
        .with_hint("names have ASCII letters, digits, \".\", \"_\" and \"-\", 64 at most");
  };
  if (equal_without_case(name, "random")) throw refused("this word asks for no voice at all");
  if (is_voice_id(name)) return std::string(name);
  if (name.size() > kMaxName) throw refused("that is too long");
  if (name.find_first_of("/\\") != std::string_view::npos) throw refused("that looks like a path");
  if (has_control(name)) throw refused("it holds control characters");
  if (find_invalid_utf8(name)) throw refused("it is not valid UTF-8");
  std::string id;
  for (const char c : lower_case(name)) {
    if (is_letter_or_digit(c) || c == '_') {
      id += c;
    } else if (!id.empty() && id.back() != '-' && (c == ' ' || c == '-' || c == '.')) {
      id += '-';
    }
  }
  while (!id.empty() && (id.back() == '-' || id.size() > kMaxId)) id.pop_back();
  if (!is_voice_id(id) || id == "random") throw refused("nothing of it can stand in a file's name");
  return id;
}

bool looks_like_mix(std::string_view text) {
  return text.find_first_of("(+") != std::string_view::npos;
}

std::vector<MixTerm> parse_mix(std::string_view text) { return MixReader(text).read(); }

std::vector<std::pair<std::string, std::string>> parse_speaker_map(std::string_view json,
                                                                   const std::string& where) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, file] : read_names(json, where)) {
    const std::string path = inner_path(file);
    if (path.empty()) {
      refuse(where, "\"", printable(name, 60), "\": ", printable(file, 100),
             " is not the name of a file below this folder");
    }
    out.emplace_back(name, path);
  }
  return out;
}

std::map<std::string, std::string> parse_openai_voices(std::string_view json,
                                                       const std::string& where) {
  std::map<std::string, std::string> names = read_names(json, where);
  for (const auto& [name, voice] : names) {
    if (std::find(kOpenAiVoices.begin(), kOpenAiVoices.end(), name) == kOpenAiVoices.end())
      refuse(where, "\"", printable(name, 60), "\" is not one of OpenAI's 13 voices");
  }
  return names;
}

}  // namespace kani
