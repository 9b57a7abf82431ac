// state_fields.cc - see state_fields.h.
#include "kani/train/state_fields.h"

#include "kani/base/error.h"

namespace kani::train {

StateFields::StateFields(std::string_view text, std::string_view source, std::string_view what)
    : json_(parse_json(text, source)), source_(source), what_(what) {
  if (!json_.is_object()) refuse(concat("is no ", what_));
}

void StateFields::refuse(std::string_view reason) const {
  throw Error(ErrorCode::kBadInput, source_, ": ", reason);
}

void StateFields::refuse(const char* key, std::string_view reason) const {
  refuse(concat(key, " ", reason));
}

Json StateFields::value(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() ? Json() : *found;
}

void StateFields::require_format(std::string_view format, int version) const {
  if (value("format") != format || value("version") != version)
    refuse(concat("is no ", what_, " that this program knows"));
}

int64_t StateFields::number(const char* key) const {
  const Json found = value(key);
  // Above 2^63 a number is unsigned and no int64_t.
  if (!found.is_number_integer() || found < 0 || found > INT64_MAX)
    refuse(key, "is missing or no number of 0 or more");
  return found.get<int64_t>();
}

std::optional<double> StateFields::real(const char* key) const {
  const Json found = value(key);
  if (found.is_null()) return std::nullopt;
  if (!found.is_number()) refuse(key, "is no number");
  return found.get<double>();
}

std::vector<double> StateFields::reals(const char* key) const {
  const Json list = value(key);
  if (!list.is_null() && !list.is_array()) refuse(key, "is no list");
  std::vector<double> out;
  for (const Json& one : list) {
    if (!one.is_number()) refuse(key, "holds something that is no number");
    out.push_back(one.get<double>());
  }
  return out;
}

std::string StateFields::word(const char* key) const {
  const Json found = value(key);
  if (!found.is_null() && !found.is_string()) refuse(key, "is no text");
  return found.is_null() ? std::string() : found.get<std::string>();
}

}  // namespace kani::train
