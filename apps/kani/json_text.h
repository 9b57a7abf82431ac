// json_text.h - JSON as the program prints it: paths and messages may hold bytes that are no UTF-8,
// which become U+FFFD instead of an exception.
#pragma once

#include <string>

#include "kani/base/json.h"

namespace kani::cli {

/// Indented, several lines, without a final newline.
std::string json_document(const Json& value);
/// {name: items} as a document, or each item on a line of its own; with the final newline.
std::string json_items(const std::string& name, const Json& items, bool lines);
/// One line, without a final newline.
std::string json_line(const Json& value);

}  // namespace kani::cli
