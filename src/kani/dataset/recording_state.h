// recording_state.h - whether a recording is still the one that was encoded: by its size and times,
// and where these differ by the SHA-256 of its bytes.  As git's index does it: a set that is there
// is looked through without reading the sound, and a copy with other times is still the same. Not
// here: the hash of the samples, which is the record's identity in the set (recording.h).
#pragma once

#include <cstdint>
#include <filesystem>

#include "kani/base/sha256.h"
#include "kani/dataset/manifest.h"
#include "kani/dataset/recording_rows.h"
#include "kani/dataset/recording_tar.h"

namespace kani {

struct RecordingState {
  int64_t bytes = -1;  // of the file; -1: nothing is there that can be read
  // Of its contents and of its entry: a file that was moved here may have the old one's time.
  int64_t modified_ns = 0, changed_ns = 0;  // since 1970, as the file system has them
  Sha256::Digest content{};  // of the file, or of the cell or member in it; zeros if there is none

  bool is_readable() const { return bytes >= 0; }
};

/// One thread at a time: it remembers the last file, of which many records may be stretches.
class RecordingStates {
 public:
  /// Of a record that is unusable before its sound is asked for: nothing is there.  Never throws
  /// for what is wrong with a file.
  RecordingState state(const Manifest& manifest, const SourceRecord& record);
  /// The sound of a record that is a row of a data set (recording_rows.h) or a member of an archive
  /// (recording_tar.h), until the next call of anything here.  Throws as their sound() does.
  std::span<const std::byte> inner_sound(const Manifest& manifest, const SourceRecord& record);
  /// True if the record's bytes are those of `before`.
  bool is_same(const Manifest& manifest, const SourceRecord& record, const RecordingState& before);

 private:
  std::filesystem::path last_;
  int64_t last_row_ = -1;
  RecordingState last_state_{};
  std::filesystem::path rows_path_;
  std::unique_ptr<RecordingRows> rows_;
  TarSounds tars_;
};

}  // namespace kani
