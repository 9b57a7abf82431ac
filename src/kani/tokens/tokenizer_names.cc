// tokenizer_names.cc - see tokenizer_names.h.
#include "kani/tokens/tokenizer_names.h"

#include <algorithm>
#include <set>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/tokens/tokenizer_file.h"

namespace kani {
namespace {

// What stands at the top of a document that is known to be good JSON.
struct AddedTokensPlace {
  size_t open = std::string_view::npos;   // of "[" behind "added_tokens"
  size_t close = std::string_view::npos;  // of its "]"
};

AddedTokensPlace find_added_tokens(std::string_view json) {
  AddedTokensPlace place;
  size_t depth = 0, word = 0;
  bool named = false, in_word = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_word) {
      if (c == '\\') ++i;
      if (c != '"') continue;
      in_word = false;
      if (depth == 1) named = json.substr(word, i - word) == "added_tokens";
    } else if (c == '"') {
      in_word = true;
      word = i + 1;
    } else if (c == '{' || c == '[') {
      if (depth == 1 && named && c == '[') place.open = i;
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
      if (depth == 1 && place.open != std::string_view::npos) {
        place.close = i;
        return place;
      }
    }
  }
  return place;
}

void check_names(const TokenizerFile& file, std::string_view source,
                 std::span<const TokenName> names) {
  int32_t next = 0;
  std::set<std::string_view> contents;
  for (const TokenizerFile::Entry& entry : file.vocabulary) next = std::max(next, entry.id + 1);
  for (const TokenizerFile::Added& token : file.added) {
    next = std::max(next, token.id + 1);
    contents.insert(token.content);
  }
  for (const TokenName& name : names) {
    require(name.id == next, source, ": the id ", name.id, " cannot be named, the next one is ",
            next);
    require(next < kMaxTokenIds, source, ": the id ", next, " must be below ", kMaxTokenIds);
    require(!name.content.empty() && name.content.size() <= kMaxAddedTokenBytes, source,
            ": the name of the id ", name.id, " has ", name.content.size(), " bytes, must be 1 to ",
            kMaxAddedTokenBytes);
    require(contents.insert(name.content).second, source, ": \"", printable(name.content),
            "\" is the name of an id already");
    ++next;
  }
}

}  // namespace

std::string with_token_names(std::string_view json, std::string_view source,
                             std::span<const TokenName> names) {
  check_names(read_tokenizer_file(json, source), source, names);
  if (names.empty()) return std::string(json);
  std::string list;
  for (const TokenName& name : names) {
    list += concat(list.empty() ? "" : ",", "\n    {\"id\": ", name.id,
                   ", \"content\": ", dump_json(Json(name.content)),
                   ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                   "\"normalized\": true, \"special\": false}");
  }
  const AddedTokensPlace place = find_added_tokens(json);
  std::string out(json);
  if (place.close == std::string_view::npos) {
    out.insert(out.find('{') + 1, "\n  \"added_tokens\": [" + list + "\n  ],");
  } else {
    const std::string_view inside = json.substr(place.open + 1, place.close - place.open - 1);
    const size_t last = inside.find_last_not_of(" \t\r\n");
    const bool empty = last == std::string_view::npos;
    out.insert(place.open + 1 + (empty ? 0 : last + 1), (empty ? "" : ",") + list);
  }
  read_tokenizer_file(out, source);  // nothing is written that would not be read
  return out;
}

}  // namespace kani
