// arrow_prepare.h - upstream's prepare_dataset.py: source sets become one set that a trainer reads
// (training.md 5.2), in upstream's form, as native shards, or both.
// In parity the result is upstream's to the digit, and a row that upstream would stop at stops
// here, too.
// So does a row that upstream takes, but of which it makes no clip that could be trained on: a null
// text with a language tag ("en: None" there), a null encoded_len without a limit of duration, a
// code outside of the codebook (an id of another one there), a voice that is missing.
// By default bad rows are dropped and counted, with a line in rejects.jsonl, also those that are
// bad by rules of ours (ClipShape::careful); repeated frames stay, and names of tokens in a text
// are plain text. Rows are read in batches and written as they come; memory does not grow with the
// set.
// The files appear all at once, with a MANIFEST (set_files.h), or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kani/dataset/prepare.h"
#include "kani/dataset/prepare_fault.h"
#include "kani/tokens/layout.h"

namespace kani {

struct PrepareOptions {
  std::filesystem::path config;     // dataset_config.yaml
  std::filesystem::path sources;    // folder that relative source names start from
  std::filesystem::path tokenizer;  // folder
  std::filesystem::path out;        // does not exist or is empty
  TokenLayout layout;
  int voice_dim = 128;
  bool parity = false;
  std::optional<bool> drop_repeated_frames{};  // default: as upstream in parity, else not
  bool write_set = true;
  bool write_shards = true;
};

/// What became of the rows of one source.
struct SourceReport {
  std::string name;
  uint64_t rows = 0;
  uint64_t kept = 0;
  uint64_t too_long = 0;
  uint64_t left_out = 0;  // by max_len
  uint64_t frames_dropped = 0;
  FaultCounts faults;
};

struct PrepareReport {
  std::vector<SourceReport> sources;
  std::vector<std::string> warnings;
  uint64_t kept() const;
  /// For people, a line per source and reason.
  std::string text() const;
  std::string json() const;
};

/// Throws Error(kBadInput) naming file, row, column and reason; Error(kInvalidArgument) for an
/// output folder that is in use; Error(kNotFound, kCannotWrite).
PrepareReport prepare_set(const PrepareOptions& options);

}  // namespace kani
