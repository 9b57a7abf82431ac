// run_log.h - what a run tells of its updates: loss.jsonl, the same bytes for the same run however
// often it was stopped, and metrics.jsonl, with times; a line on the terminal.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "kani/train/trainer.h"

namespace kani::train {

/// Appends to two files in the output folder.  One thread at a time.
class RunLog {
 public:
  /// Lines of updates after `update` are taken out: they will be made again.  Throws
  /// Error(kCannotWrite).
  RunLog(const std::filesystem::path& folder, int64_t update);
  void write(const UpdateReport& report);
  void write(const EvalReport& report);

 private:
  void line(std::ofstream& file, const std::filesystem::path& path, const std::string& text);

  std::filesystem::path loss_path_, metrics_path_;
  std::ofstream loss_, metrics_;
};

/// "update 120/2000  loss 5.4321  norm 1.23  lr 9.0e-04  4.1k elements/s  ETA 0:12:34"
std::string progress_text(const UpdateReport& report, double updates_left, double mean_seconds);

}  // namespace kani::train
