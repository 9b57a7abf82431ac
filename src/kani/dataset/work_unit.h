// work_unit.h - finished work that a later run, another machine or the assembly finds again: units
// of neighbouring records, each a shard of clips and a file with a line for every record, and the
// journal of those that are finished.  Source: training.md 15.9.
//
// Below OUT/work/:  unit-4f0c….kshard   clips, none if all were rejected
//                   unit-4f0c….jsonl    a line a record, in order
//                   journal-1-of-4.jsonl  units that machine 1 of 4 has finished, with hashes
// Files get their names when they are whole, from the hash of their lines: what is there is never
// written over, and stays when the manifest changes, for what is in both (earlier_work.h).  A line
// of the journal that is not whole does not count.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "kani/dataset/clip_maker.h"
#include "kani/dataset/file_lock.h"
#include "kani/dataset/recording_state.h"

namespace kani {

/// Hash of all that the manifest says of a record (build_plan.h).
using RecordKey = std::array<std::byte, 16>;

/// What is known of a record without its codes.
struct RecordFacts {
  uint64_t index = 0;  // in the manifest
  RecordKey key{};
  RecordingState recording{};  // when the record was made
  std::string audio{}, source{}, speaker{}, language{};
  double start_s = 0, end_s = 0;  // stretch of the audio; 0, 0 = all
  std::optional<Reject> reject{};
  // Of a clip:
  size_t unit = 0, place = 0;  // clip `place` of the unit's shard
  double seconds = 0;
  std::array<std::byte, 32> sound{}, record{};
  uint64_t text_key = 0;  // of source, speaker and normalized text
};

/// A record as a unit keeps it.
struct MadeRecord {
  RecordFacts facts{};
  TrainingClip clip{};  // unless facts.reject
};
/// Without index, unit and place.
MadeRecord made_record(const SourceRecord& record, const RecordKey& key,
                       const RecordingState& recording, ClipResult result);

/// Which of several machines this is.
struct Part {
  int index = 0;  // from 0
  int count = 1;
};

/// Files of a unit, as a line of a journal has them.
struct UnitFiles {
  std::string shard, lines;  // SHA-256; shard is empty if there is none
  bool operator==(const UnitFiles&) const = default;
};

/// What becomes of finished work that is there.
enum class WorkStart { kGoOn, kAnew };

/// Thread-safe after expect().
class WorkFolder {
 public:
  /// Makes the folder, clears away half-written files of a last run, if nobody else is at work, and
  /// reads the journals.  One process a part: Error(kBusy) while another one works; with kAnew, by
  /// which all finished work is deleted, one process at all.  Throws Error(kCannotWrite).
  WorkFolder(std::filesystem::path folder, Part part, WorkStart start = WorkStart::kGoOn);
  ~WorkFolder();

  /// Says which units there are to be.  Those count as finished whose files have the hashes that a
  /// journal says, and of whose facts `is_current` says true: that every recording is as it was.
  /// `is_current` is called by this and by all_finished().
  using IsCurrent = std::function<bool(size_t unit, const std::vector<RecordFacts>&)>;
  void expect(std::vector<std::string> unit_keys, IsCurrent is_current);

  bool is_finished(size_t unit) const;
  /// Looks for the units that other machines have finished since; true if all are.
  bool all_finished();
  /// Hash of the contents of all recordings; all units must be finished.
  std::string recordings_key() const;
  bool is_empty() const;
  /// Of all units that a journal names but those that are finished, the oldest first: of another
  /// manifest, or of recordings that have changed.
  std::vector<UnitFiles> other_files() const;

  /// Writes both files and the line of the journal.
  void finish(size_t unit, const std::vector<MadeRecord>& records, const ShardInfo& info);
  /// Facts of all records of a finished unit, `first` being the index of its first.  Throws
  /// Error(kBadInput) for a file that is not as the journal says.
  std::vector<RecordFacts> facts(size_t unit, uint64_t first) const;
  std::filesystem::path shard_path(size_t unit) const;
  const std::filesystem::path& path() const { return folder_; }

  /// Files of any unit: whether they are whole, their facts (index counts from 0), their clips.
  bool is_intact(const UnitFiles& files) const;
  std::vector<RecordFacts> facts(const UnitFiles& files) const;
  std::filesystem::path shard_path(const UnitFiles& files) const;

  /// True if this process may put the set together: one at a time over all machines.
  bool lock_assembly();
  /// Waits until no other process has what this returns.
  std::unique_ptr<FileLock> lock_plan() const;
  /// Whether another process works in this folder now.
  bool others_at_work() const;

 private:
  struct Finished {
    UnitFiles files;
    Sha256::Digest recordings;
  };
  void take_part(Part part);
  void clear(WorkStart start) const;
  void read_journals();
  void look_for(size_t unit);

  std::filesystem::path folder_;
  std::filesystem::path journal_path_;
  std::string lock_name_;
  std::unique_ptr<FileLock> lock_, assembly_lock_;
  int journal_ = -1;
  std::vector<UnitFiles> files_;
  std::map<std::string, std::vector<UnitFiles>> by_key_;
  std::vector<std::string> unit_keys_;
  IsCurrent is_current_;
  mutable std::mutex mutex_;
  std::map<size_t, Finished> finished_;
};

/// As WorkFolder::recordings_key() has it, of units of recordings.
Sha256::Digest recordings_digest(std::span<const RecordingState> recordings);
std::string recordings_key(std::span<const Sha256::Digest> units);

/// A state as a line of a unit has it; null if nothing was there.  recording_of() throws
/// Json::exception, Error(kBadInput).
Json recording_json(const RecordingState& recording);
RecordingState recording_of(const Json& json);

/// A line for rejects.jsonl.
Json reject_json(const RecordFacts& facts);

}  // namespace kani
