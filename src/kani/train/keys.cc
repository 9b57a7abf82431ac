// keys.cc - see keys.h.
#include "kani/train/keys.h"

namespace kani::train {

void refuse_value(const YamlValue& value, const char* wanted) {
  throw Error(ErrorCode::kBadInput, "\"", value.text, "\"", line_text(value), ", must be ", wanted);
}

std::string line_text(const YamlValue& value) {
  return value.line == 0 ? std::string() : concat(" (line ", value.line, ")");
}

std::string quoted_text(const std::string& plain) {
  std::string out = "\"";
  for (const char c : plain) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

size_t edit_distance(std::string_view a, std::string_view b) {  // Levenshtein
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t before = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = before + (a[i - 1] == b[j - 1] ? 0 : 1);
      before = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string nearest_text(std::string_view word, const std::vector<std::string>& words) {
  // Of two that are as near the longer one: letters are left out more often than added.
  const auto nearest = std::min_element(words.begin(), words.end(), [&](auto& a, auto& b) {
    const size_t to_a = edit_distance(a, word), to_b = edit_distance(b, word);
    return to_a < to_b || (to_a == to_b && a.size() > b.size());
  });
  if (nearest == words.end() || 2 * edit_distance(*nearest, word) > word.size()) return "";
  return concat("; the nearest is \"", *nearest, "\"");
}

ErrorCode code_of_source(std::string_view source) {
  return source.starts_with("--") ? ErrorCode::kInvalidArgument : ErrorCode::kBadInput;
}

void each_key(std::string_view yaml, std::string_view source,
              const std::function<void(const std::string& key, const YamlValue& value)>& apply) {
  const YamlValue document = parse_yaml(yaml, source);
  if (document.kind == YamlValue::Kind::kNull) return;
  if (document.kind != YamlValue::Kind::kMap)
    throw Error(ErrorCode::kBadInput, source, ": must hold keys and values");
  for (const auto& [key, value] : document.members) {
    if (value.kind != YamlValue::Kind::kMap) {
      apply(key, value);
      continue;
    }
    for (const auto& [inner, inner_value] : value.members) apply(inner, inner_value);
  }
}

YamlValue setting_value(std::string_view value) {
  if (value.starts_with('[')) {
    try {
      return parse_yaml(value, "--set");
    } catch (const Error& error) {
      throw Error(ErrorCode::kInvalidArgument, error.what());
    }
  }
  YamlValue scalar;
  scalar.kind = YamlValue::Kind::kScalar;
  scalar.text = value;
  return scalar;
}

}  // namespace kani::train
