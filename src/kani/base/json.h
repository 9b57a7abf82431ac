// json.h - the door to nlohmann-json: documents from outside are parsed with limits on size, depth
// and members. Only files that handle JSON include this header; it pulls in the whole library.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kani {

using Json = nlohmann::json;

struct JsonLimits {
  size_t depth = 64;               // nested arrays and objects
  size_t values = 4'000'000;       // members and elements in all
  bool refuse_duplicates = false;  // duplicate keys: an error, or the last wins with one warning
};

/// The document in `text`.  `source` names it in messages.  A UTF-8 byte order mark, comments,
/// trailing commas, NaN and bytes after the document are refused.  Throws Error(kBadInput) with the
/// byte offset.
Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits = {});

}  // namespace kani
