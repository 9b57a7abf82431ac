// earlier_work.h - records that are in the work folder already, whatever unit they are in: after
// the manifest has changed, what is in the old one and the new one is taken over instead of made
// again.
#pragma once

#include <compare>
#include <map>
#include <optional>

#include "kani/dataset/work_unit.h"
#include "kani/formats/token_shard.h"

namespace kani {

/// Where each record lies.  Immutable and thread-safe.
class EarlierWork {
 public:
  /// Looks through the whole units of the folder that are not finished ones of this manifest; of
  /// records that are there twice the last counts.
  explicit EarlierWork(const WorkFolder& work);

  struct Place {
    size_t files = 0, line = 0;
  };
  std::optional<Place> find(const RecordKey& key) const;
  const WorkFolder& work() const { return work_; }
  const UnitFiles& files(const Place& place) const { return files_[place.files]; }

 private:
  const WorkFolder& work_;
  std::vector<UnitFiles> files_;
  std::map<RecordKey, Place> places_;
};

/// Takes records out of it.  One thread at a time; one unit is open at a time.
class EarlierRecords {
 public:
  explicit EarlierRecords(const EarlierWork& earlier) : earlier_(earlier) {}
  /// The record as it was made; nothing if it is not there or its recording is not as it was.
  std::optional<MadeRecord> take(const RecordKey& key, const Manifest& manifest,
                                 const SourceRecord& record, RecordingStates& states);

 private:
  void open(const UnitFiles& files);

  const EarlierWork& earlier_;
  UnitFiles open_;
  std::vector<RecordFacts> facts_;
  std::optional<TokenShard> shard_;
};

}  // namespace kani
