// name_parts.cc - see name_parts.h.
#include "kani/train/name_parts.h"

#include <algorithm>
#include <set>

#include "kani/base/error.h"
#include "kani/train/keys.h"

namespace kani::train {

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
    // Words between dots, or whole names for parts that have dots themselves.
    std::set<std::string> words;
    for (const auto& [name, tensor] : parameters) {
      if (part.find('.') != std::string::npos) {
        words.insert(name);
        continue;
      }
      for (size_t begin = 0; begin < name.size();) {
        const size_t end = std::min(name.find('.', begin), name.size());
        words.insert(name.substr(begin, end - begin));
        begin = end + 1;
      }
    }
    throw Error(ErrorCode::kInvalidArgument, key, ": \"", part,
                "\" is in no parameter's name; the nearest is \"",
                nearest_word(part, {words.begin(), words.end()}), "\"");
  }
}

}  // namespace kani::train
