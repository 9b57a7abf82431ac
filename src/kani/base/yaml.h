// yaml.h - the door to yaml-cpp: small configuration documents from outside, under limits.
// A plain tree of text comes out; what a scalar means is decided by the reader that knows the key.
// Not here: anchors, aliases, tags, merge keys, several documents - all of them are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kani {

struct YamlLimits {
  size_t bytes = size_t{1} << 20;
  size_t depth = 32;        // nested lists and maps
  size_t values = 100'000;  // scalars, lists and maps in all, keys included
};

struct YamlValue {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool quoted = false;           // a quoted scalar is a string, whatever it looks like
  size_t line = 0;               // 1 for the first
  std::string text;              // kScalar
  std::vector<YamlValue> items;  // kList
  struct Member;
  std::vector<Member> members;  // kMap, in file order, keys differ

  /// nullptr if this is no map or has no such key.
  const YamlValue* find(std::string_view key) const;

  /// Values of unquoted scalars in their strict form, otherwise nothing: decimal digits without
  /// leading zeros or exponents; `true` or `false`; a finite decimal number.
  std::optional<int64_t> integer() const;
  std::optional<bool> boolean() const;
  std::optional<double> number() const;
};

struct YamlValue::Member {
  std::string first;  // the key
  YamlValue second;
};

/// The one document in `text`; an empty text gives a null.  `source` names it in messages.
/// Throws Error(kBadInput) with the line.
YamlValue parse_yaml(std::string_view text, std::string_view source, const YamlLimits& limits = {});

}  // namespace kani
