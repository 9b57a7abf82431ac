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

/// The document in `text`, or one that is_discarded() where that is none.  Without limits: for
/// lines of our own files, which a kill may have cut.
Json try_parse_json(std::string_view text);

enum class InvalidUtf8 { kThrow, kReplace };

/// `value` as JSON text, `indent` spaces a level; -1: all in one line.  Of strings that are not
/// UTF-8 throws Json::type_error, or puts U+FFFD for what is not.  Json::dump() does the same and
/// is compiled anew, a second and more, in every file that calls it.
std::string dump_json(const Json& value, int indent = -1,
                      InvalidUtf8 invalid = InvalidUtf8::kThrow);

}  // namespace kani
