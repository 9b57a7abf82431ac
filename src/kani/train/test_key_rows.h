// test_key_rows.h - for tests that hold a document's tables of keys against the program's.
#pragma once

#include <filesystem>
#include <string>

#include "kani/base/file.h"

namespace kani::train::test {

/// A part of a document in docs/, from its heading to the next one of its rank ("## All keys").
inline std::string section_of(const char* document, const std::string& heading) {
  const std::string text =
      read_file(std::filesystem::path(KANI_SOURCE_DIR) / "docs" / document, 1 << 20);
  const size_t begin = text.find(heading + "\n");
  if (begin == std::string::npos) return {};
  const std::string rank = heading.substr(0, heading.find(' ') + 1);
  const size_t end = text.find("\n" + rank, begin + 1);
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

/// As tables show a value: without quotes, "none" where there is none.
inline std::string shown_value(std::string value) {
  std::erase(value, '"');
  return value == "[]" || value.empty() ? "none" : value;
}

inline std::string key_row(const std::string& name, const std::string& value,
                           const std::string& meaning) {
  return "| `" + name + "` | " + value + " | " + meaning + " |\n";
}

}  // namespace kani::train::test
