// set_clip.h - a line of clips.jsonl: where a clip of a finished set lies, where it came from, and
// what was measured.  With it a source can be taken out again, and the report be made without the
// codes.
#pragma once

#include <string>

#include "kani/base/json.h"
#include "kani/dataset/split.h"
#include "kani/formats/token_shard.h"

namespace kani {

struct SetClip {
  Split split = Split::kTrain;
  std::string file;    // "train-00000-of-00002"; .kshard, .parquet or both
  size_t row = 0;      // in the file
  uint64_t index = 0;  // of the record in the manifest
  std::string record;  // SHA-256 of samples and text
  std::string audio, source, speaker, language, licence;
  double start_s = 0, end_s = 0;  // stretch of the audio; 0, 0 = all
  double seconds = 0;
  int64_t frames = 0;
  size_t text_ids = 0;  // BOS included
  // Of the recording, before gain and trimming:
  double characters_per_second = 0;
  double loudness_lufs = 0;
  double noise_distance_db = 0;
  double bandwidth_hz = 0;
  double trimmed_s = 0;
};

/// `clip` as clip_maker.h makes it.  Throws Error(kBadInput) for notes that are not of it.
SetClip describe_clip(const TrainingClip& clip, const RecordFacts& facts, Split split);

std::string clip_line(const SetClip& clip);
/// Throws Error(kBadInput).
SetClip parse_clip_line(std::string_view line, std::string_view name);

}  // namespace kani
