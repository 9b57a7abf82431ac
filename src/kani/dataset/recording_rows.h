// recording_rows.h - recordings inside of data sets: Parquet files, and folders of save_to_disk,
// whose rows have the bytes of a sound file and its text, as `datasets` keeps audio.  A door
// without Arrow's headers; without Arrow everything here throws Error(kUnsupported). Source:
// training.md 15.1; hostile files: arrow_batches.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kani/dataset/manifest.h"

namespace kani {

/// Whether the folder is one of a data set rather than of recordings.
bool is_set_folder(const std::filesystem::path& folder);

/// A record for each row, in the order of files and rows.  The sound is in a column audio (or path,
/// file, wav, as in a manifest) that is a struct with `bytes` or binary itself; the other columns
/// have the names of a manifest's; what is in none of them is not read.  `path` is a file or a
/// folder: of a folder, what is of the split "train" or of no split (arrow_folder.h).  Sounds are
/// not read. A record's audio is "FILE: row group 0, row 12"; `folder` is what FILE is relative to.
/// Throws Error(kNotFound, kBadInput, kUnsupported).
std::vector<SourceRecord> read_recording_rows(const std::filesystem::path& path,
                                              const std::filesystem::path& folder);

/// The sounds of one file.  One thread at a time.  Made to be asked for rows that ascend; memory is
/// that of a few rows.
class RecordingRows {
 public:
  /// Throws as above.
  static std::unique_ptr<RecordingRows> open(const std::filesystem::path& file);
  virtual ~RecordingRows() = default;
  /// The bytes of the sound in a row, until the next call.  Throws Error(kNotFound) if the row has
  /// none, Error(kBadInput) if it cannot be read.
  virtual std::span<const std::byte> sound(int64_t row) = 0;
};

}  // namespace kani
