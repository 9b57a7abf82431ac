// analysis.h - what a checkpoint has learnt, in every figure that upstream's tools give.
// Source: training.md 10.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kani/train/config.h"

namespace kani::train {

struct Analysis {
  std::string json;            // every figure by its name
  std::string interpretation;  // lines for a person: upstream's words for the main ones
};

/// The settings of the run that wrote a checkpoint, as it kept them beside the weights, without its
/// data; the defaults where it kept none.  Throws Error(kBadInput).
TrainConfig settings_of(const std::filesystem::path& checkpoint);

/// Losses and figures over all clips of `places`; what needs a pass of its own over the first 64.
/// By the rules of `config`; a checkpoint of adapters needs its model_id and lora_… for the base.
/// `progress` is told now and then how far it is, and nothing at the end.  Throws Error(kNotFound,
/// kBadInput).
Analysis analyze_checkpoint(const std::filesystem::path& checkpoint,
                            const std::vector<std::string>& places, TrainConfig config,
                            const std::function<void(const std::string&)>& progress);

/// How far it is, on the terminal: a line that changes; elsewhere one every ten seconds.
class AnalysisProgress {
 public:
  explicit AnalysisProgress(bool told);
  /// Nothing clears the line.
  void operator()(const std::string& what);

 private:
  bool told_, terminal_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace kani::train
