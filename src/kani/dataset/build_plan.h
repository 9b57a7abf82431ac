// build_plan.h - how the records of a manifest are cut into units of work, by what a unit is known
// again, and whether a work folder that is there belongs to this model and these settings.
// Not here: the units' files and the journal (work_unit.h), the sound itself (recording_state.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/base/json.h"
#include "kani/dataset/clip_maker.h"
#include "kani/dataset/manifest.h"
#include "kani/dataset/work_unit.h"

namespace kani {

/// A function of the records alone, so that every run and machine cuts alike.
class BuildPlan {
 public:
  explicit BuildPlan(const std::vector<SourceRecord>& records);

  size_t records() const { return keys_.size(); }
  size_t units() const { return (records() + unit_ - 1) / unit_; }
  /// Records [first(u), first(u + 1)).
  size_t first(size_t unit) const { return std::min(unit * unit_, records()); }
  size_t size(size_t unit) const { return first(unit + 1) - first(unit); }
  /// What everything that the manifest says of a record comes to.
  const RecordKey& key(size_t record) const { return keys_[record]; }
  /// Of the keys of its records; one for each unit.
  std::vector<std::string> unit_keys() const;
  /// The same of all records, in hexadecimal.
  std::string manifest_key() const;
  /// Those that one of several machines does.
  std::vector<size_t> units_of(Part part) const;

 private:
  std::vector<RecordKey> keys_;
  size_t unit_;
};

/// What else decides the clips: rules and models.
Json plan_of(const ClipRules& rules);

/// Writes work/plan.json, or compares it.  Another manifest takes the place of the one that is
/// there: records that are in both need not be made again.  Throws Error(kInvalidArgument) naming
/// what differs of the rules, Error(kBusy) if another part is at work on another manifest,
/// Error(kCannotWrite).
void settle_plan(const WorkFolder& work, const Json& rules, const BuildPlan& plan);

}  // namespace kani
