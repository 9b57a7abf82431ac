// json_text.cc - see json_text.h.
#include "apps/kani/json_text.h"

namespace kani::cli {

std::string json_document(const Json& value) { return dump_json(value, 2, InvalidUtf8::kReplace); }

std::string json_items(const std::string& name, const Json& items, bool lines) {
  if (!lines) return json_document({{name, items}}) + "\n";
  std::string text;
  for (const Json& item : items) text += json_line(item) + "\n";
  return text;
}

std::string json_line(const Json& value) { return dump_json(value, -1, InvalidUtf8::kReplace); }

}  // namespace kani::cli
