// run_loop.h - a run of a trainer of recordings, as it is shown and kept: updates, measurements and
// checkpoints in their turn until all are done or a signal comes; loss.jsonl (the same bytes for
// the same run however often it was stopped) and metrics.jsonl (with times). Not here: language
// models, whose runs have more to tell (run_log.h).
#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>

#include "run_log.h"

namespace kani::train {

/// Throws Error(kInvalidArgument) if a launcher started several processes: each would write the
/// same folder.
void require_alone();

class RunLoop {
 public:
  RunLoop(bool told, const volatile std::sig_atomic_t& stop);
  virtual ~RunLoop() = default;
  RunLoop(const RunLoop&) = delete;
  RunLoop& operator=(const RunLoop&) = delete;

  /// True if all updates are done, false if a signal came between.  Throws what the trainer does.
  bool train();
  /// The program's status behind train().
  int status() const;

 protected:
  struct Turns {
    int64_t eval_every, save_steps;
  };
  /// To be called by the constructor: makes the folder and opens the logs.
  void begin(const std::filesystem::path& out, int64_t update, Turns turns);

  virtual bool done() const = 0;
  virtual int64_t update() const = 0;
  virtual void step() = 0;      // one update, logged and shown
  virtual void evaluate() = 0;  // logged and shown
  virtual void save() = 0;

  bool told() const { return told_; }
  bool terminal() const { return terminal_; }
  LineFile& loss() { return loss_; }
  LineFile& metrics() { return metrics_; }

 private:
  bool saved_if_possible();
  void flush();

  const volatile std::sig_atomic_t& stop_;
  LineFile loss_, metrics_;
  Turns turns_{};
  bool told_, terminal_;
};

}  // namespace kani::train
