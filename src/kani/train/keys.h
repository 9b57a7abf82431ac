// keys.h - tables of configuration keys: one table, read in both directions.  What the keys of a
// run are stands in config_keys.cc, codec/codec_keys.cc and speaker/speaker_config.cc.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/yaml.h"

namespace kani::train {

template <typename Config>
struct ConfigKey {
  std::string name;
  bool numeric;  // changes the numbers that come out
  std::function<void(Config&, const YamlValue&)> read;
  std::function<std::string(const Config&)> write;
  std::string meaning{};  // a line for people
};

/// " (line n)"; nothing for a value that came with a flag.
std::string line_text(const YamlValue& value);
/// Throws Error(kBadInput, "<value> (line n), must be <wanted>"); apply_key() puts source and key
/// in front.
[[noreturn]] void refuse_value(const YamlValue& value, const char* wanted);
std::string quoted_text(const std::string& plain);
/// Edits between two words.
size_t edit_distance(std::string_view a, std::string_view b);
/// "; the nearest is "x"" for the one of `words` with the fewest; nothing if none is like it: over
/// half of the word would be another.
std::string nearest_text(std::string_view word, const std::vector<std::string>& words);
/// Of what is wrong with a value: what stands in a flag ("--set") is the caller's fault, what
/// stands in a file is bad input.
ErrorCode code_of_source(std::string_view source);

/// Fills what a key stands for: a truth, a whole number of 0 or more, a number, a text, or a list
/// of such (one alone may stand without brackets, null is none).
template <typename T>
void read_value(T& target, const YamlValue& v) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto value = v.boolean();
    if (!value) refuse_value(v, "true or false");
    target = *value;
  } else if constexpr (std::is_integral_v<T>) {
    const auto value = v.integer();
    if (!value || *value < 0 || !std::in_range<T>(*value))
      refuse_value(v, "a whole number of 0 or more");
    target = static_cast<T>(*value);
  } else if constexpr (std::is_floating_point_v<T>) {
    const auto value = v.number();
    if (!value) refuse_value(v, "a number");
    target = *value;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (v.kind != YamlValue::Kind::kScalar) refuse_value(v, "a text");
    target = v.text;
  } else {
    target.clear();
    if (v.kind == YamlValue::Kind::kNull) return;
    if (v.kind == YamlValue::Kind::kScalar) return read_value(target.emplace_back(), v);
    if (v.kind != YamlValue::Kind::kList) refuse_value(v, "a list");
    for (const YamlValue& item : v.items) read_value(target.emplace_back(), item);
  }
}

/// The same as read_value() reads it.
template <typename T>
std::string value_text(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return to_text(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return quoted_text(value);
  } else {
    std::string out = "[";
    for (const auto& item : value) out += (out.size() > 1 ? ", " : "") + value_text(item);
    return out + "]";
  }
}

/// A key that fills what `member` gives of a configuration: a pointer to a member or a function.
template <typename Config, typename Member>
ConfigKey<Config> config_key(const char* name, bool numeric, Member member, const char* meaning) {
  return {
      name, numeric,
      [member](Config& c, const YamlValue& v) { read_value(std::invoke(member, c), v); },
      [member](const Config& c) { return value_text(std::invoke(member, const_cast<Config&>(c))); },
      meaning};
}

/// Throws Error(kBadInput), of a flag Error(kInvalidArgument), with source, line, key and the
/// nearest known key.
template <typename Config>
void apply_key(const std::vector<ConfigKey<Config>>& keys, const std::string& name,
               const YamlValue& value, std::string_view source, Config& config) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  if (found == keys.end()) {
    std::vector<std::string> names;
    for (const auto& key : keys) names.push_back(key.name);
    throw Error(code_of_source(source), source, ": unknown key \"", name, "\"", line_text(value),
                nearest_text(name, names));
  }
  try {
    found->read(config, value);
  } catch (const Error& error) {
    throw Error(code_of_source(source), source, ": ", name, " is ", error.what());
  }
}

/// Calls `apply(key, value)` for the keys of a document; sections are taken apart: what a key means
/// does not depend on its section.
void each_key(std::string_view yaml, std::string_view source,
              const std::function<void(const std::string& key, const YamlValue& value)>& apply);
/// What a "key=value" of a flag holds; a list is written as in a file.  Throws
/// Error(kInvalidArgument).
YamlValue setting_value(std::string_view value);

/// All keys with their values as YAML that reads back; or only those that change the numbers.
template <typename Config>
std::string keys_yaml(const std::vector<ConfigKey<Config>>& keys, const Config& config,
                      bool only_numeric) {
  std::string out;
  for (const auto& key : keys) {
    if (key.numeric || !only_numeric) out += key.name + ": " + key.write(config) + "\n";
  }
  return out;
}

/// All keys with their values and what they mean, as YAML that reads back.
template <typename Config>
std::string keys_list(const std::vector<ConfigKey<Config>>& keys, const Config& config) {
  std::string out;
  for (const auto& key : keys)
    out += key.name + ": " + key.write(config) + "  # " + key.meaning + "\n";
  return out;
}

}  // namespace kani::train
