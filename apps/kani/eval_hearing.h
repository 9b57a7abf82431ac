// eval_hearing.h - recognizers at work: sounds in, the texts that they heard out, several at once
// while others are still being spoken.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apps/kani/eval_journal.h"
#include "kani/base/error.h"

namespace kani::cli {

/// A recognizer that prints more lines than it was given paths: nothing that it said can be told
/// to a sound.
class HearingSlipped : public Error {
 public:
  /// `output`: what nobody had asked for.
  explicit HearingSlipped(const std::string& output);
};

struct HearingOptions {
  std::vector<std::string> command;  // words; empty = nobody listens
  bool batch = false;  // one process reads paths and prints a line for each; else {wav} is the path
  int jobs = 1;
  double timeout_s = 300;     // for one sound
  std::filesystem::path log;  // standard error of the recognizers
};

/// Thread-safe.  A sound whose bytes the same command has heard before is not heard again.
/// A recognizer of many sounds (`batch`) must print one line for each, no more: that is checked
/// before each path and when it has been given the last, and if it is not so nothing that it said
/// is kept.
class Hearing {
 public:
  Hearing(const HearingOptions& options, EvalJournal& journal);
  /// Ends the recognizers.
  ~Hearing();

  bool listens() const { return !options_.command.empty(); }
  /// Not after finish().  Throws at once what finish() would if no recognizer can work at all.
  void submit(const std::filesystem::path& sound);
  /// Until all is heard.  Throws Error(kNotFound) if the recognizer cannot be started,
  /// HearingSlipped, Error(kCancelled) on a signal, and what the first failure was if none was
  /// heard at all.
  void finish();
  /// Absent: not submitted, not heard yet, or the recognizer failed twice.
  std::optional<std::string> heard(const std::filesystem::path& sound) const;

 private:
  /// A recognizer of one thread and the journal's keys of what it has said.
  struct Listener;

  void work();
  void end(Listener& listener);
  std::string listen(const std::filesystem::path& sound, Listener& listener);
  std::string key(const std::filesystem::path& sound) const;

  HearingOptions options_;
  EvalJournal& journal_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::filesystem::path> waiting_;
  std::map<std::string, std::string> texts_;  // by path
  size_t ended_ = 0;                          // threads
  bool closed_ = false, last_ = false;        // at once; when all is heard
  std::exception_ptr fatal_, first_failure_;
  std::vector<std::thread> threads_;
};

}  // namespace kani::cli
