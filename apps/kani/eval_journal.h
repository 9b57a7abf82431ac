// eval_journal.h - what an evaluation has finished, so that the same command goes on after an end
// of any kind: lines of JSON that are only ever added.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kani/base/json.h"

namespace kani::cli {

/// Thread-safe.  Keys are hashes of everything that the entry depends on, so what was made with
/// other settings is not found rather than wrong.
class EvalJournal {
 public:
  /// Reads what is there; a torn last line is skipped.  Throws Error(kBusy) if another process has
  /// it, Error(kCannotWrite).
  explicit EvalJournal(const std::filesystem::path& path);
  EvalJournal(const EvalJournal&) = delete;
  EvalJournal& operator=(const EvalJournal&) = delete;
  ~EvalJournal();

  std::optional<Json> find(const std::string& key) const;
  void add(const std::string& key, const Json& value);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  mutable std::mutex mutex_;
  std::map<std::string, Json> entries_;
};

/// 64 hexadecimal digits of the JSON's text.
std::string key_of(const Json& json);

}  // namespace kani::cli
