// clip_note.h - what a Parquet file of ours says of all its clips, in its footer under "kani": so
// that the way from shards to Parquet and back ends with the same ids.  Files of others have none.
// Not here: the columns (arrow_features.h).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kani/formats/token_shard.h"

namespace kani {

inline constexpr const char* kNoteKey = "kani";

/// text_rules of shards whose text is as the source had it: the language's tag is only in the ids.
/// All others (clip_text.h) say that the text is what the ids were made of, its tag included.
inline constexpr const char* kNoTextRules = "none";

struct ClipNote {
  ShardInfo info{};  // tokenizer: of the ids that are not in the file
  /// Language to the token that is its tag (TaggedText::token), which stands in front of the text.
  std::map<std::string, std::string> tag_tokens{};

  bool has_tagged_text() const {
    return !info.text_rules.empty() && info.text_rules != kNoTextRules;
  }
};

std::string clip_note_json(const ClipNote& note);
/// Throws Error(kBadInput) naming `file`.
ClipNote parse_clip_note(std::string_view json, std::string_view file);

}  // namespace kani
