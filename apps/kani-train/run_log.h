// run_log.h - what a run tells of its updates, in the output folder:
//   loss.jsonl        the same bytes for the same run however often it was stopped
//   metrics.jsonl     with times, speed and memory
//   quarantine.jsonl  the clips of updates that were skipped
//   runs/             the same figures for TensorBoard, under upstream's names
//   metrics.prom      the newest ones for Prometheus (prometheus_file.h)
// and a line on the terminal.  Source: training.md 10, 11, 14.10.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "kani/train/event_file.h"
#include "kani/train/trainer.h"
#include "prometheus_file.h"

namespace kani::train {

/// What speed is measured against.
struct Yardstick {
  double operations_per_element = 0;  // of an update, set anew for each
  double peak_operations = 0;         // of all processes together, a second; 0: not known
};

/// Of a checkpoint: from the beginning to the end, and how long the run waited for it.
struct SaveTimes {
  double seconds = 0, held_seconds = 0;
};

/// What this process has done from its start to its end (training.md 11).
class RunSummary {
 public:
  void add(const UpdateReport& report);
  /// Under the names that upstream's library gives them: train_runtime in seconds,
  /// train_samples_per_second, train_steps_per_second, train_loss (mean over the updates that
  /// were not skipped).  Empty if there was no update.
  Figures figures() const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int64_t updates_ = 0, learnt_ = 0, clips_ = 0;
  double loss_ = 0;
};
/// "12 updates in 0:00:03: 96.1 clips/s, 4.00 updates/s, mean loss 6.1234"
std::string summary_text(const Figures& figures);

/// A file of lines.  While the disk is full lines wait in memory and are tried again with the next.
class LineFile {
 public:
  LineFile() = default;
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  /// Lines of updates after `update` are taken out, and what a crash cut in half.  Returns those of
  /// `update` itself.  Throws Error(kCannotWrite).
  std::string open(const std::filesystem::path& path, int64_t update);
  void write(const std::string& line);
  /// What brings the lines that were written onto the disk, as far as that can be: nothing follows
  /// from a failure.  For any thread; it may outlive the file.
  std::function<void()> flusher() const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string waiting_;
  bool warned_ = false;
};

/// Appends to files in the output folder.  One thread at a time.
class RunLog {
 public:
  /// Lines of updates after `update` are taken out: they will be made again.  Of several processes
  /// only the one with `leads` writes more than its quarantine.  Throws Error(kCannotWrite).
  RunLog(const std::filesystem::path& folder, int64_t update, bool leads, int rank);
  void write(const UpdateReport& report, const Yardstick& yardstick);
  /// `prefix`: "eval_", or "eval_ema_" for the average of the weights.
  void write(const EvalReport& report, const std::string& prefix);
  /// What was measured of samples, under samples/; perhaps of an update some time ago.
  void samples(int64_t update, const Figures& figures);
  void checkpoint(int64_t update, const SaveTimes& times, bool saved);
  /// LineFile::flusher() of all files, to be called before a checkpoint is written: one that
  /// survives a crash then has its lines.
  std::function<void()> flusher() const;
  /// Whether the update that the logs were opened at has been measured on the validation set.
  bool was_evaluated() const { return evaluated_; }
  /// Factors of learnable RoPE under upstream's names, with no prefix; nothing if there are none.
  void factors(int64_t update, const Figures& figures);
  /// What the whole run was, as the last line.
  void summary(int64_t update, const Figures& figures);

 private:
  LineFile loss_, metrics_, quarantine_;
  bool evaluated_ = false;
  std::optional<EventFile> events_;
  std::optional<PrometheusFile> prometheus_;
};

/// "  6.0% 120/2000  loss 5.4321  norm 1.23  lr 9.0e-04  4100 elements/s  MFU 31.2%  left 0:12:34"
std::string progress_text(const UpdateReport& report, const Yardstick& yardstick,
                          double mean_seconds);

}  // namespace kani::train
