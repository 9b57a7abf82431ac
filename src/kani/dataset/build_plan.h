// build_plan.h - how the records of a manifest are cut into units of work, and whether a work
// folder that is there belongs to this manifest, model and settings.
// Not here: the units' files and the journal (work_unit.h).
#pragma once

#include <filesystem>
#include <vector>

#include "kani/base/json.h"
#include "kani/dataset/clip_maker.h"
#include "kani/dataset/manifest.h"
#include "kani/dataset/work_unit.h"

namespace kani {

/// A function of the number of records alone, so that every run and machine cuts alike.
class BuildPlan {
 public:
  explicit BuildPlan(size_t records);

  size_t records() const { return records_; }
  size_t units() const { return (records_ + unit_ - 1) / unit_; }
  /// Records [first(u), first(u + 1)).
  size_t first(size_t unit) const { return std::min(unit * unit_, records_); }
  size_t size(size_t unit) const { return first(unit + 1) - first(unit); }
  /// Those that one of several machines does.
  std::vector<size_t> units_of(Part part) const;

 private:
  size_t records_, unit_;
};

/// What decides the clips: rules and models, every field of every record.
Json plan_of(const ClipRules& rules, const Manifest& manifest);

/// Writes work/plan.json, or compares it.  Throws Error(kInvalidArgument) naming what differs,
/// Error(kCannotWrite).
void settle_plan(const std::filesystem::path& work, const Json& plan);

}  // namespace kani
