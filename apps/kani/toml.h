// toml.h - the part of TOML 1.0 that kani.toml needs: comments, [sections], key = value with
// strings, numbers, booleans and arrays of them.  Not here: dates, inline tables, arrays of tables,
// multi-line strings; they are errors. CLI11's own reader was not up to it: it cuts strings at '#',
// knows no escapes and takes any rubbish for a switch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kani::cli {

struct TomlEntry {
  std::string section;  // "" before the first [section]
  std::string key;      // as written, without quotes
  std::vector<std::string>
      values;       // one, or an array's elements; numbers and booleans as they are written
  size_t line = 0;  // from 1
};

/// Entries in the order of the file.  Throws Error(kBadInput, "<source>: line N: …"); a key given
/// twice is one, too.
std::vector<TomlEntry> parse_toml(std::string_view text, std::string_view source);

}  // namespace kani::cli
