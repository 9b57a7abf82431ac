// arrow_convert.h - a data set from one form into another: native shards, Parquet files in the
// layout of training.md 15.8, upstream's processed sets.
// What a form has no place for is lost, and the report says so: Parquet has no text ids and of the
// notes only text_raw and quality's measures; a processed set has ids, length and voice alone. Text
// ids are made anew with a tokenizer where they are missing, text from ids likewise (its tag
// included).  Parquet of ours says whether its text has the language's tag (clip_note.h), so that
// the ids are those that they were; files of others have text without it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/dataset/prepare_fault.h"
#include "kani/tokens/layout.h"

namespace kani {

enum class SetForm { kShards, kParquet, kProcessed };

struct ConvertOptions {
  std::filesystem::path input;   // a *.kshard, *.parquet or *.arrow file, or a folder of one form
  std::string split = "train";   // which files of a folder; "all": each under its split's name
  std::filesystem::path output;  // a folder that does not exist or is empty
  SetForm form = SetForm::kShards;
  std::optional<std::filesystem::path> tokenizer{};  // folder
  std::optional<TokenLayout>
      layout{};                    // nothing: codes as the input says, ids as KaniTTS2 has them
  std::optional<int> voice_dim{};  // nothing: as the input says, else 128
  bool tags = true;                // the language goes in front of a text that is without
  BadRows bad_rows = BadRows::kStop;
};

struct ConvertReport {
  uint64_t clips = 0;
  FaultCounts faults;
  std::vector<std::string> lost;  // what the output has no place for
};

/// Files have the names of their split, "valid-00000-of-00002.parquet"; shards of none are
/// "clips-…".
/// They appear all at once, with a MANIFEST (set_files.h), or not at all.
/// Throws Error as prepare_set() does, and Error(kInvalidArgument) if a tokenizer is needed and
/// none is named.
ConvertReport convert_set(const ConvertOptions& options);

}  // namespace kani
