// name_parts.cc - see name_parts.h.
#include "kani/train/name_parts.h"

#include <algorithm>
#include <set>

#include "kani/base/error.h"
#include "kani/train/keys.h"

namespace kani::train {
namespace {

// Where words end.
size_t end_of_word(const std::string& name, const char* ends, size_t begin) {
  return std::min(name.find_first_of(ends, begin), name.size());
}

// What a name is made of, and the parts of these: "embed_tokens", "embed", "tokens".  Numbers of
// layers tell nobody anything.
void add_words(const std::string& name, std::set<std::string>& words) {
  for (const char* ends : {".", "._"}) {
    for (size_t begin = 0; begin < name.size();) {
      const size_t end = end_of_word(name, ends, begin);
      const std::string word = name.substr(begin, end - begin);
      if (word.find_first_not_of("0123456789") != std::string::npos) words.insert(word);
      begin = end + 1;
    }
  }
}

// Stretches of a name with so many dots: "layers.0.ffn_norm".
void add_stretches(const std::string& name, int64_t dots, std::set<std::string>& words) {
  for (size_t begin = 0; begin < name.size(); begin = end_of_word(name, ".", begin) + 1) {
    size_t end = end_of_word(name, ".", begin);
    int64_t found = 0;
    for (; found < dots && end < name.size(); ++found) end = end_of_word(name, ".", end + 1);
    if (found == dots) words.insert(name.substr(begin, end - begin));
  }
}

}  // namespace

bool name_fits(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (size_t i = star; i <= name.size(); ++i) {
    if (name_fits(pattern.substr(star + 1), name.substr(i))) return true;
  }
  return false;
}

void check_name_parts(const char* key, const std::vector<std::string>& parts,
                      const ParameterMap& parameters) {
  for (const std::string& part : parts) {
    const bool known =
        !part.empty() && std::any_of(parameters.begin(), parameters.end(), [&](const auto& entry) {
          return entry.first.find(part) != std::string::npos;
        });
    if (known) continue;
    const int64_t dots = std::count(part.begin(), part.end(), '.');
    std::set<std::string> words;
    for (const auto& [name, tensor] : parameters) {
      if (dots == 0) add_words(name, words);
      if (dots > 0) add_stretches(name, dots, words);
    }
    throw Error(ErrorCode::kInvalidArgument, key, ": \"", part, "\" is in no parameter's name",
                nearest_text(part, {words.begin(), words.end()}));
  }
}

}  // namespace kani::train
