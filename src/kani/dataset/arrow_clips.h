// arrow_clips.h - the two kinds of data sets with codes, row by row as clips: source sets (text and
// four code columns, training.md 5.1; with more columns the layout of 15.8) and processed sets (one
// id sequence a row, 5.3).
// Not here: which files belong to a set (arrow_folder.h), what happens to bad rows (arrow_prepare,
// arrow_convert).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "kani/dataset/arrow_batches.h"
#include "kani/dataset/clip_note.h"
#include "kani/dataset/convert.h"
#include "kani/dataset/prepare.h"
#include "kani/tokens/layout.h"

namespace kani {

/// What a clip must be to be taken.
struct ClipShape {
  TokenLayout layout;
  int voice_dim = 128;
  bool voice_required = true;
  /// Of a source set: also what upstream does not look at.  The text has no control characters, 1
  /// to 1,000 characters; there are as many frames as encoded_len says, but for two, and these
  /// count for max_duration_s; the voice is about as long as encoders make them (clip_limits.h).
  bool careful = false;
  std::optional<double> max_duration_s{};  // longer ones are kTooLong, before anything else
};

/// A source set's file.  Clips come without text ids; `utf8` is the text as it stands there.
class SourceClips final : public ClipReader {
 public:
  /// `more`: also the columns of 15.8 that are there.  Throws Error(kNotFound, kBadInput).
  SourceClips(const std::filesystem::path& file, const ClipColumns& columns, ClipShape rules,
              bool more);
  NextClip next(TrainingClip& clip) override;
  const std::vector<std::string>& column_names() const { return batches_->names(); }
  /// What a file of ours says of its text; nothing for others.
  const std::optional<ClipNote>& note() const { return note_; }
  /// "file: row group 0, row 6", of the last clip.
  std::string place() const { return batches_->place(current_); }

 private:
  void read_length(TrainingClip& clip);
  void check_frames(const TrainingClip& clip) const;
  void check_text(const TrainingClip& clip) const;
  void read_text(TrainingClip& clip);
  void read_codes(TrainingClip& clip);
  void read_voice(TrainingClip& clip);
  void read_more(TrainingClip& clip);
  /// JSON, or empty.
  std::string read_quality() const;
  std::string read_measures(const arrow::Array& structs) const;
  std::string extra_text(size_t column) const;
  template <typename... Parts>
  [[noreturn]] void refuse(RowFault fault, size_t column, const Parts&... why) const;

  ClipShape rules_;
  std::vector<WantedColumn> wanted_;
  std::unique_ptr<ArrowBatches> batches_;
  std::optional<ClipNote> note_;
  std::vector<int32_t> layer_[4];
  int64_t row_ = 0, current_ = 0;
};

/// A processed set's file.  Clips have text ids and no text.
class SequenceClips final : public ClipReader {
 public:
  SequenceClips(const std::filesystem::path& file, ClipShape rules);
  NextClip next(TrainingClip& clip) override;

 private:
  ClipShape rules_;
  std::unique_ptr<ArrowBatches> batches_;
  std::vector<int32_t> ids_;
  int64_t row_ = 0;
};

/// Whether a file of this set holds sequences (a column input_ids).
bool is_processed_set(const std::filesystem::path& file);

/// What a Parquet file of ours says of all its clips; nothing for others.  Throws Error(kNotFound,
/// kBadInput).
std::optional<ClipNote> read_clip_note(const std::filesystem::path& file);

}  // namespace kani
