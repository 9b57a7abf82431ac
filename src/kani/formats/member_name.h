// member_name.h - which names of archive members are acceptable.  Nothing is ever unpacked under
// such a name; an archive that tries is made to harm other programs, and is refused whole
// (reliability.md 6, .nemo 3).  Not a public header.
#pragma once

#include <string_view>

#include "kani/base/utf8.h"

namespace kani {

/// What is wrong with `name`, or nothing.  A slash at the end (a folder) is allowed.
inline std::string_view member_name_problem(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > 4096) return "is longer than 4096 bytes";
  if (name.front() == '/') return "is absolute";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "holds a control character";
    if (c == '\\') return "holds a backslash";
  }
  if (find_invalid_utf8(name)) return "is not UTF-8";
  if (name.back() == '/') name.remove_suffix(1);
  for (size_t begin = 0; begin <= name.size();) {
    const size_t slash = name.find('/', begin);
    const size_t end = slash == std::string_view::npos ? name.size() : slash;
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") {
      return "has an empty, \".\" or \"..\" part";
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace kani
