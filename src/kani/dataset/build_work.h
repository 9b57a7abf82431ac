// build_work.h - the workers of one process: each with its own ClipMaker, they take units from one
// counter until all of this part are finished.
// Not here: what a unit leaves (work_unit.h), the line that tells how far it is (build_progress.h).
#pragma once

#include <functional>

#include "kani/base/cancel.h"
#include "kani/dataset/build_plan.h"

namespace kani {

struct WorkCounts {
  uint64_t records = 0;   // of this part
  uint64_t before = 0;    // of these, made by an earlier run, for this manifest or another
  uint64_t done = 0;      // by this run
  uint64_t rejected = 0;  // of `done`
  double seconds = 0;     // of the clips that this run made
  bool cutting = false;   // these are recordings that are being cut (cutting.h)
  bool complete() const { return before + done == records; }
};

struct BuildWork {
  const Manifest& manifest;
  const ClipRules& rules;
  const BuildPlan& plan;
  Part part{};
  int workers = 1;  // at least 1; no more are started than there are units
  const CancelToken* cancel = nullptr;
  /// Called in the calling thread after records are done and at the end; may be empty.
  std::function<void(const WorkCounts&)> tell{};
};

/// Returns early if cancelled: records that were under way are dropped, with those of their unit
/// that were done.  Throws what the first worker that failed threw, after all have ended.
WorkCounts work_through(const BuildWork& work, WorkFolder& folder);

}  // namespace kani
