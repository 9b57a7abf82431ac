// run_state.h - where a run is between two updates, and its text in a checkpoint: state.json.
// Source: training.md 14.6.  Not here: LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kani::train {

/// Where a run is, between two updates.
struct RunState {
  int64_t update = 0;    // updates done
  int64_t epoch = 0;     // of the next update
  int64_t row = 0;       // rows of the epoch's plan that are done
  int64_t elements = 0;  // trained on so far
  int64_t skipped = 0;   // updates left out by the health monitor
  int64_t skipped_in_row = 0;
  std::vector<double> recent_norms;  // of the last updates, for the monitor's median
  std::vector<double> recent_losses;
  std::optional<double> best_loss;  // least on the validation set, after update best_update
  int64_t best_update = 0;
  std::string data_hash;    // of the shards
  std::string valid_hash;   // of the clips that are measured on; empty: none, or not known
  std::string base_hash;    // of what adapters belong to; empty without adapters
  std::string config_hash;  // of numeric_yaml()
  std::string program;      // program_version() of what wrote it
};

/// As state.json.
std::string state_text(const RunState& state);
/// Reads it back; `source` names it.  Throws Error(kBadInput) naming what is missing or wrong.
RunState parse_state(std::string_view text, std::string_view source);

}  // namespace kani::train
