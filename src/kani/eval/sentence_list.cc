// sentence_list.cc - see sentence_list.h.
#include "kani/eval/sentence_list.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <set>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

constexpr size_t kLongestId = 100;

std::string trimmed(std::string line) {
  const char* const blanks = " \t\r";
  line.erase(0, std::min(line.find_first_not_of(blanks), line.size()));
  const size_t last = line.find_last_not_of(blanks);
  line.erase(last == std::string::npos ? 0 : last + 1);
  return line;
}

bool is_id(const std::string& id) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kLongestId && std::all_of(id.begin(), id.end(), plain) &&
         std::isalnum(static_cast<unsigned char>(id[0])) != 0;
}

std::string number_id(size_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%04zu", number);
  return text;
}

/// A list of paths, none of them empty.
std::vector<std::filesystem::path> parse_paths(const Json& value, const std::string& where,
                                               const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const Json& one : value.is_array() ? value : Json::array({nullptr})) {
    if (!one.is_string() || one.get<std::string>().empty())
      throw Error(ErrorCode::kBadInput, where, ": recordings is not a list of paths");
    paths.push_back(folder / one.get<std::string>());
  }
  return paths;
}

EvalSentence parse_object(const std::string& line, const std::string& where,
                          const std::filesystem::path& folder) {
  const Json object =
      parse_json(line, where, {.depth = 4, .values = 1000, .refuse_duplicates = true});
  if (!object.is_object()) throw Error(ErrorCode::kBadInput, where, ": expected a JSON object");
  EvalSentence sentence;
  for (const auto& [key, value] : object.items()) {
    if (key == "recordings") {
      sentence.recordings = parse_paths(value, where, folder);
      continue;
    }
    std::string* target = key == "id"         ? &sentence.id
                          : key == "text"     ? &sentence.text
                          : key == "language" ? &sentence.language
                          : key == "speaker"  ? &sentence.speaker
                          : key == "voice"    ? &sentence.voice
                          : key == "set"      ? &sentence.set
                                              : nullptr;
    if (target == nullptr && key != "reference") {
      throw Error(ErrorCode::kBadInput, where, ": unknown key ", printable(key))
          .with_hint("known are id, text, language, speaker, voice, reference, recordings and set");
    }
    if (!value.is_string())
      throw Error(ErrorCode::kBadInput, where, ": ", printable(key), " is not a string");
    if (target != nullptr) *target = value.get<std::string>();
    if (target == nullptr && !value.get<std::string>().empty())
      sentence.reference = folder / value.get<std::string>();
  }
  return sentence;
}

}  // namespace

std::vector<EvalSentence> parse_sentences(const std::string& text, const std::string& source,
                                          const std::filesystem::path& folder) {
  if (const auto invalid = find_invalid_utf8(text))
    throw Error(ErrorCode::kBadInput, source, ": invalid UTF-8 at offset ", *invalid);
  std::vector<EvalSentence> list;
  std::set<std::string> ids;
  size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  bool json = false;
  for (size_t number = 1; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    const std::string where = concat(source, ": line ", number);
    if (list.empty()) json = line[0] == '{';
    EvalSentence sentence;
    if (json) {
      sentence = parse_object(line, where, folder);
    } else {
      sentence.text = line;
    }
    if (trimmed(sentence.text).empty())
      throw Error(ErrorCode::kBadInput, where, ": text is missing or blank");
    if (sentence.id.empty()) sentence.id = number_id(list.size() + 1);
    if (!is_id(sentence.id)) {
      throw Error(ErrorCode::kBadInput, where, ": id ", printable(sentence.id),
                  " cannot name a file, expected letters, digits and . _ - (at most ", kLongestId,
                  ")");
    }
    std::string folded = sentence.id;
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    if (!ids.insert(folded).second)
      throw Error(ErrorCode::kBadInput, where, ": id ", sentence.id, " is there twice");
    list.push_back(std::move(sentence));
  }
  if (list.empty()) throw Error(ErrorCode::kBadInput, source, ": no sentence in it");
  return list;
}

}  // namespace kani
