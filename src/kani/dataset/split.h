// split.h - which clips are trained on, which only measured: by a hash of who speaks, so that a
// speaker stays where they are when data is added.  Source: training.md 15.11.
// Not here: looking for the same clip in two splits (selection.h).
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kani/dataset/work_unit.h"

namespace kani {

enum class Split { kTrain, kValid, kTest };
inline constexpr Split kSplits[] = {Split::kTrain, Split::kValid, Split::kTest};

/// "train"
std::string_view split_name(Split split);

/// What must never be trained on: a line each, the audio as the manifest names it, or
/// "speaker:NAME".
class TestList {
 public:
  TestList() = default;
  /// Throws Error(kNotFound, kBadInput).
  explicit TestList(const std::filesystem::path& path);

  bool holds(const RecordFacts& facts) const;
  bool empty() const { return audio_.empty() && speakers_.empty(); }
  /// As they would be written, in order.
  std::vector<std::string> lines() const;
  /// Throws Error(kBadInput) for a line that no record answers to: a slip of the pen would put what
  /// it means into the training set.
  void check(const std::vector<RecordFacts>& facts) const;

 private:
  std::filesystem::path path_;
  std::set<std::string> audio_, speakers_;
};

struct SplitOptions {
  double valid_share = 0.01;  // of the speakers
  bool by_recording = false;  // also where the speaker is known
  TestList test{};
};

/// A function of this record alone: of its speaker, of source and audio if that is not known.
Split split_of(const RecordFacts& facts, const SplitOptions& options);

}  // namespace kani
