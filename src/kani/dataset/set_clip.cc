// set_clip.cc - see set_clip.h.
#include "kani/dataset/set_clip.h"

#include "kani/base/error.h"
#include "kani/base/sha256.h"
#include "kani/dataset/clip_maker.h"

namespace kani {
namespace {

Split split_from_name(const std::string& name) {
  for (const Split split : kSplits) {
    if (split_name(split) == name) return split;
  }
  throw Error(ErrorCode::kBadInput, "\"", printable(name, 40), "\" is no split");
}

}  // namespace

SetClip describe_clip(const TrainingClip& clip, const RecordFacts& facts, Split split) {
  SetClip out;
  out.split = split;
  out.index = facts.index;
  out.record = hex_text(clip.record);
  out.audio = facts.audio;
  out.source = clip.source;
  out.speaker = clip.speaker;
  out.language = clip.language;
  out.seconds = clip.duration_s;
  out.frames = clip.encoded_len;
  out.text_ids = clip.text.size();
  const Json notes = parse_json(clip.notes, "the notes of a clip");
  try {
    const Json& quality = notes.at("quality");
    out.licence = notes.value("licence", "");
    out.start_s = notes.value("start", 0.0);
    out.end_s = notes.value("end", 0.0);
    out.characters_per_second = quality.at("characters_per_second").get<double>();
    out.loudness_lufs = quality.at("loudness_lufs").get<double>();
    out.noise_distance_db = quality.at("noise_distance_db").get<double>();
    out.bandwidth_hz = quality.at("bandwidth_hz").get<double>();
    out.trimmed_s = quality.at("trimmed_s").get<double>();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadInput, "the notes of a clip: ", error.what());
  }
  return out;
}

std::string clip_line(const SetClip& clip) {
  Json line = {{"split", split_name(clip.split)},
               {"file", clip.file},
               {"row", clip.row},
               {"index", clip.index},
               {"record", clip.record},
               {"audio", clip.audio},
               {"seconds", rounded(clip.seconds, 4)},
               {"frames", clip.frames},
               {"text_ids", clip.text_ids},
               {"characters_per_second", clip.characters_per_second},
               {"loudness_lufs", clip.loudness_lufs},
               {"noise_distance_db", clip.noise_distance_db},
               {"bandwidth_hz", clip.bandwidth_hz},
               {"trimmed_s", clip.trimmed_s}};
  const auto name = [&](const char* key, const std::string& text) {
    if (!text.empty()) line[key] = text;
  };
  name("source", clip.source);
  name("speaker", clip.speaker);
  name("language", clip.language);
  name("licence", clip.licence);
  if (clip.start_s != 0 || clip.end_s != 0) {
    line["start"] = clip.start_s;
    line["end"] = clip.end_s;
  }
  return json_line(line);
}

SetClip parse_clip_line(std::string_view text, std::string_view name) {
  const Json line = parse_json(text, name);
  SetClip clip;
  try {
    clip.split = split_from_name(line.at("split").get<std::string>());
    clip.file = line.at("file").get<std::string>();
    clip.row = line.at("row").get<size_t>();
    clip.index = line.at("index").get<uint64_t>();
    clip.record = line.at("record").get<std::string>();
    clip.audio = line.at("audio").get<std::string>();
    clip.source = line.value("source", "");
    clip.speaker = line.value("speaker", "");
    clip.language = line.value("language", "");
    clip.licence = line.value("licence", "");
    clip.start_s = line.value("start", 0.0);
    clip.end_s = line.value("end", 0.0);
    clip.seconds = line.at("seconds").get<double>();
    clip.frames = line.at("frames").get<int64_t>();
    clip.text_ids = line.at("text_ids").get<size_t>();
    clip.characters_per_second = line.at("characters_per_second").get<double>();
    clip.loudness_lufs = line.at("loudness_lufs").get<double>();
    clip.noise_distance_db = line.at("noise_distance_db").get<double>();
    clip.bandwidth_hz = line.at("bandwidth_hz").get<double>();
    clip.trimmed_s = line.at("trimmed_s").get<double>();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadInput, name, ": ", error.what());
  }
  return clip;
}

}  // namespace kani
