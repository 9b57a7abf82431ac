// arrow_write.h - clips into Parquet files in the layout of training.md 15.8 and into save_to_disk
// sets as upstream's preparation leaves them (5.3).  The same clips give the same bytes, and a file
// appears whole or not at all.
// Not here: native shards (convert.h), reading (arrow_clips.h).
#pragma once

#include <arrow/memory_pool.h>

#include <filesystem>
#include <memory>

#include "kani/dataset/convert.h"
#include "kani/tokens/layout.h"

namespace kani {

/// One Parquet file: zstd level 3, 10,000 rows a row group, a checksum for every page.  text_raw
/// and quality come from the clip's notes; what else is in the notes and the text ids have no
/// column.
class ParquetWriter final : public ClipWriter {
 public:
  /// `info` goes into the file's note (clip_note.h), with the tokens that the clips' notes name.
  /// Throws Error(kCannotWrite).
  ParquetWriter(const std::filesystem::path& file, const ShardInfo& info,
                int64_t rows_per_group = 10'000);
  ~ParquetWriter() override;
  /// Throws Error(kBadInput) for notes that are no JSON object.
  void add(const TrainingClip& clip) override;
  void finish() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One processed set: data-00000-of-00001.arrow, dataset_info.json, and last state.json, without
/// which the folder is no set.  state.json has the data file's SHA-256 besides what `datasets`
/// wants.
class SequenceSetWriter final : public ClipWriter {
 public:
  /// `folder` exists.
  SequenceSetWriter(std::filesystem::path folder, const TokenLayout& layout);
  ~SequenceSetWriter() override;
  /// The clip needs its text ids.
  void add(const TrainingClip& clip) override;
  void finish() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kani
