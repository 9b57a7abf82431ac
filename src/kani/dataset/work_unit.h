// work_unit.h - finished work that a later run, another machine or the assembly finds again: units
// of neighbouring records, each a shard of clips and a file with a line for every record, and the
// journal of those that are finished.  Source: training.md 15.9.
//
// Below OUT/work/:  unit-00012.kshard   clips, none if all were rejected
//                   unit-00012.jsonl    a line a record, in order
//                   journal-1-of-4.jsonl  units that machine 1 of 4 has finished, with hashes
// Files get their names when they are whole; a line of the journal that is not whole does not
// count.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kani/dataset/clip_maker.h"

namespace kani {

/// What is known of a record without its codes.
struct RecordFacts {
  uint64_t index = 0;  // in the manifest
  std::string audio{}, source{}, speaker{}, language{};
  std::optional<Reject> reject{};
  // Of a clip:
  size_t unit = 0, place = 0;  // clip `place` of unit-`unit`.kshard
  double seconds = 0;
  std::array<std::byte, 32> sound{}, record{};
  uint64_t text_key = 0;  // of source, speaker and normalized text
};

/// "unit-00012"
std::string unit_name(size_t unit);

/// Which of several machines this is.
struct Part {
  int index = 0;  // from 0
  int count = 1;
};

/// Thread-safe.
class WorkFolder {
 public:
  /// Makes the folder, clears away half-written files of this part's last run, reads the journals
  /// and believes those units whose files have the hashes written there.  One process a part:
  /// Error(kBusy) while another one works.  Throws Error(kCannotWrite).
  WorkFolder(std::filesystem::path folder, Part part);
  ~WorkFolder();

  bool is_finished(size_t unit) const;
  size_t finished() const;
  /// The units that other machines have finished since; true if all of `units` are.
  bool all_finished(size_t units);
  /// Writes both files and the line of the journal.  `results[i]` is of record `first + i`.
  void finish(size_t unit, uint64_t first, const std::vector<SourceRecord>& records,
              const std::vector<ClipResult>& results, const ShardInfo& info);
  /// Facts of all records of a unit.  Throws Error(kBadInput) for a file that is not as the journal
  /// says.
  std::vector<RecordFacts> facts(size_t unit) const;
  std::filesystem::path shard_path(size_t unit) const;
  const std::filesystem::path& path() const { return folder_; }

  /// True if this process may put the set together: one at a time over all machines.
  bool lock_assembly();

 private:
  struct Entry {
    std::string shard, lines;  // SHA-256; shard is empty if there is none
  };
  void read_journals();
  bool is_intact(size_t unit, const Entry& entry) const;

  std::filesystem::path folder_;
  std::filesystem::path journal_path_;
  int lock_ = -1, assembly_lock_ = -1, journal_ = -1;
  mutable std::mutex mutex_;
  std::map<size_t, Entry> finished_;
};

/// A line for rejects.jsonl.
Json reject_json(const RecordFacts& facts);

}  // namespace kani
