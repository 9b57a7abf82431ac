// run_health.h - which updates are left out, and how unusual one is.
// Source: training.md 14.9, reliability.md T8.
#pragma once

#include "kani/train/checkpoint.h"
#include "kani/train/update_report.h"

namespace kani::train {

/// Updates in a row that may be left out.
inline constexpr int64_t kMostSkipped = 20;

struct HealthRules {
  double max_grad_norm = 0;    // 0: none
  bool watch_the_norm = true;  // leave updates out whose gradient is far longer than those before
};

/// Sets skipped and its reason, clipped, and the scores, from loss and norm of the report and from
/// what `state` remembers of the updates before.
void judge(UpdateReport& report, const RunState& state, const HealthRules& rules);

/// What `state` remembers for the next one.
void remember(const UpdateReport& report, RunState& state);

}  // namespace kani::train
