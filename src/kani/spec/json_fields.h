// json_fields.h - typed reading of a JSON object's members: every refusal names source, field,
// value and rule. Pulls in the JSON library: for .cc files that parse configurations.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "kani/base/error.h"
#include "kani/base/json.h"

namespace kani {

/// Throws Error(kBadInput, "<source>: <name> is <value>, must be <low> to <high>") for a value out
/// of range or NaN.
template <typename T>
void check_range(std::string_view source, std::string_view name, T value, T low, T high) {
  if (!(value >= low && value <= high)) {
    throw Error(ErrorCode::kBadInput, source, ": ", name, " is ", value, ", must be ", low, " to ",
                high);
  }
}

/// A view of one object; lives as long as the document it was made from.
class JsonFields {
 public:
  /// `path` stands before member names in messages, e.g. "rope_parameters.".
  /// Throws Error(kBadInput) if `object` is no object.
  JsonFields(const Json& object, std::string_view source, std::string path = {})
      : object_(object), source_(source), path_(std::move(path)) {
    if (!object.is_object()) {
      throw Error(ErrorCode::kBadInput, source,
                  path_.empty() ? std::string() : ": " + path_.substr(0, path_.size() - 1), " is ",
                  shown(object), ", must be an object");
    }
  }

  /// nullptr if there is no such member.
  const Json* find(const char* name) const {
    const auto member = object_.find(name);
    return member == object_.end() ? nullptr : &*member;
  }
  /// The same, with null as if it were absent.
  const Json* find_set(const char* name) const {
    const Json* value = find(name);
    return value && value->is_null() ? nullptr : value;
  }

  int integer(const char* name, int fallback) const {
    const Json* value = find(name);
    return value ? as_integer(*value, name) : fallback;
  }
  double number(const char* name, double fallback) const {
    const Json* value = find(name);
    return value ? as_number(*value, name) : fallback;
  }
  bool boolean(const char* name, bool fallback) const {
    const Json* value = find(name);
    if (!value) return fallback;
    if (!value->is_boolean()) refuse(name, *value, "true or false");
    return value->get<bool>();
  }

  int as_integer(const Json& value, const std::string& name) const {
    constexpr auto kMax = std::numeric_limits<int>::max();
    // Unsigned first: the library reads numbers without a sign as unsigned, up to 2^64 - 1.
    const bool fits = value.is_number_unsigned()
                          ? value.get<uint64_t>() <= static_cast<uint64_t>(kMax)
                          : value.is_number_integer() && value.get<int64_t>() >= -kMax;
    if (!fits) refuse(name, value, "a whole number below 2147483648");
    return value.get<int>();
  }
  double as_number(const Json& value, const std::string& name) const {
    if (!value.is_number()) refuse(name, value, "a number");
    return value.get<double>();
  }
  const std::string& as_string(const Json& value, const std::string& name) const {
    if (!value.is_string()) refuse(name, value, "a string");
    return value.get_ref<const std::string&>();
  }
  const Json& as_array(const Json& value, const std::string& name) const {
    if (!value.is_array()) refuse(name, value, "an array");
    return value;
  }

  [[noreturn]] void refuse(const std::string& name, const Json& value,
                           std::string_view rule) const {
    throw Error(ErrorCode::kBadInput, source_, ": ", path_, name, " is ", shown(value),
                ", must be ", rule);
  }
  std::string_view source() const { return source_; }

  static std::string shown(const Json& value) { return printable(dump_json(value), 60); }

 private:
  const Json& object_;
  std::string_view source_;
  std::string path_;
};

}  // namespace kani
