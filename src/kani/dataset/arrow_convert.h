// arrow_convert.h - a data set from one form into another: native shards, Parquet files in the
// layout of training.md 15.8, upstream's processed sets.
// What a form has no place for is lost, and the report says so: Parquet has no text ids and of the
// notes only text_raw and quality's measures; a processed set has ids, length and voice alone. Text
// ids are made anew with a tokenizer where they are missing, text from ids likewise (its tag
// included).
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
  std::string split = "train";   // which files of a folder
  std::filesystem::path output;  // a folder that does not exist or is empty
  SetForm form = SetForm::kShards;
  std::optional<std::filesystem::path> tokenizer{};  // folder
  TokenLayout layout;
  int voice_dim = 128;
  bool tags = true;  // the language goes in front of the text when ids are made
  BadRows bad_rows = BadRows::kStop;
};

struct ConvertReport {
  uint64_t clips = 0;
  FaultCounts faults;
  std::vector<std::string> lost;  // what the output has no place for
};

/// Throws Error as prepare_set() does, and Error(kInvalidArgument) if a tokenizer is needed and
/// none is named.
ConvertReport convert_set(const ConvertOptions& options);

}  // namespace kani
