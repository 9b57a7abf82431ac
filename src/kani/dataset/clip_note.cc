// clip_note.cc - see clip_note.h.
#include "kani/dataset/clip_note.h"

#include "kani/base/error.h"
#include "kani/base/json.h"

namespace kani {

std::string clip_note_json(const ClipNote& note) {
  const Json json = {
      {"codebooks", note.info.codebooks},   {"codebook_size", note.info.codebook_size},
      {"voice_size", note.info.voice_dim},  {"tokenizer", note.info.tokenizer},
      {"text_rules", note.info.text_rules}, {"tag_tokens", note.tag_tokens}};
  return dump_json(json);
}

ClipNote parse_clip_note(std::string_view json, std::string_view file) {
  const Json object = parse_json(json, file, {.depth = 4, .values = 10'000});
  try {
    ClipNote note;
    note.info = {.codebooks = object.at("codebooks").get<int>(),
                 .codebook_size = object.at("codebook_size").get<int>(),
                 .voice_dim = object.at("voice_size").get<int>(),
                 .tokenizer = object.at("tokenizer").get<std::string>(),
                 .text_rules = object.at("text_rules").get<std::string>()};
    note.tag_tokens = object.at("tag_tokens").get<std::map<std::string, std::string>>();
    const ShardInfo& info = note.info;
    if (info.codebooks >= 1 && info.codebooks <= 32 && info.codebook_size >= 1 &&
        info.codebook_size <= 4096 && info.voice_dim >= 0 && info.voice_dim <= 4096)
      return note;
  } catch (const Json::exception&) {
  }
  throw Error(ErrorCode::kBadInput, file, ": its note \"kani\" is none");
}

}  // namespace kani
