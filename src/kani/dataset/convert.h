// convert.h - clips from one file after the other into one file after the other: what every reader
// and writer of data sets offers, and the native shard's.
// Not here: Parquet and save_to_disk sets (arrow_*.h), what is in a shard (formats/token_shard.h).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kani/dataset/prepare_fault.h"
#include "kani/formats/token_shard.h"

namespace kani {

enum class NextClip { kClip, kTooLong, kEnd };

/// Clips of one file, in order.  One thread at a time.
class ClipReader {
 public:
  virtual ~ClipReader() = default;
  /// Fills `clip` unless it says kTooLong or kEnd.  Throws BadRow for a row that is bad by itself
  /// (the next call gives the next row), Error(kBadInput) if the file is.
  virtual NextClip next(TrainingClip& clip) = 0;
};

/// Takes clips and leaves files.  One thread at a time.
class ClipWriter {
 public:
  virtual ~ClipWriter() = default;
  virtual void add(const TrainingClip& clip) = 0;
  /// Makes the last file visible; without it that file does not appear.  Throws
  /// Error(kCannotWrite).
  virtual void finish() = 0;
};

/// Native shards "clips-00000.kshard", … in a folder, a new one whenever the last is large.  Those
/// of a split get the names of build's, "valid-00000-of-00002.kshard", when all are there.
class ShardFolderWriter final : public ClipWriter {
 public:
  struct Limits {
    size_t clips = 20'000;
    size_t bytes = size_t{256} << 20;
  };
  ShardFolderWriter(std::filesystem::path folder, ShardInfo info, Limits limits,
                    std::string split = {});
  ShardFolderWriter(std::filesystem::path folder, ShardInfo info)
      : ShardFolderWriter(std::move(folder), std::move(info), Limits()) {}
  ~ShardFolderWriter() override;

  void add(const TrainingClip& clip) override;
  void finish() override;
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  void close_shard();

  std::filesystem::path folder_;
  ShardInfo info_;
  Limits limits_;
  std::string split_;
  std::unique_ptr<ShardWriter> shard_;
  size_t bytes_ = 0;
  std::vector<std::filesystem::path> files_;
};

/// The clips of a native shard.
class ShardClips final : public ClipReader {
 public:
  /// Compares all hashes first.  Throws Error(kNotFound, kBadInput).
  explicit ShardClips(const std::filesystem::path& path);
  NextClip next(TrainingClip& clip) override;
  const ShardInfo& info() const { return shard_.info(); }

 private:
  TokenShard shard_;
  size_t at_ = 0;
};

}  // namespace kani
