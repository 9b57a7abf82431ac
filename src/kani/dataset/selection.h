// selection.h - which clips of all that could be made become part of the set, and in which split.
// Source: training.md 15.9 to 15.11, reliability.md 5.7.  A function of the facts and the codes of
// the records in their order: how the work was shared does not matter.
// Not here: what is wrong with a record alone (clip_maker.h), files (assembly.h).
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kani/base/cancel.h"
#include "kani/dataset/split.h"
#include "kani/dataset/work_unit.h"

namespace kani {

struct SelectionOptions {
  double max_error_share = 0.02;  // of a source's records; more stop it
  size_t least_errors = 5;        // fewer say nothing about a source
  size_t texts_per_speaker = 5;   // a speaker may say the same so often
  double max_share = 0.05;        // of one speaker or source in the seconds trained on; 1 = any
  size_t share_names = 20;        // with fewer speakers (sources) the share says nothing
  std::set<std::string> allowed_shares{};  // speakers and sources that may have more
  std::set<std::string> allowed_errors{};  // sources that are not stopped
  SplitOptions split{};
};

/// First-codebook codes of a clip.
using CodesOf = std::function<std::vector<int32_t>(const RecordFacts&)>;

/// Puts a reject on each clip that is left out; returns the split of every record.  In this order:
///   sources with too many errors; then for the test, the validation and the training split in turn
///   repeated samples, repeated codes, texts that a speaker has said often enough; training clips
///   whose source, speaker and text are in another split; what exceeds the share of a speaker, of
///   a source: the clips with the largest hashes go first.
/// The share is of the seconds that are left if at most a tenth of the names exceed it, of those
/// that were there before if more do; it is never less than all would have if all had the same,
/// and every name keeps a clip.
/// A repeated clip stays where it matters most: in the test split, else in the validation split.
/// `codes_of` is called split by split in order of records.  Throws Error(kCancelled), and what
/// codes_of throws.
std::vector<Split> select_clips(std::vector<RecordFacts>& facts, const SelectionOptions& options,
                                const CodesOf& codes_of, const CancelToken* cancel = nullptr);

/// Throws Error(kInternal) if samples or record of one clip are in two splits.
void check_no_leak(const std::vector<RecordFacts>& facts, const std::vector<Split>& splits);

}  // namespace kani
