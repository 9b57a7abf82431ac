// clip_set.h - all clips of a run: shards one behind the other, read when they are needed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kani/base/error.h"
#include "kani/formats/token_shard.h"
#include "kani/train/language_tokens.h"
#include "kani/train/sequence.h"

namespace kani::train {

/// Which shards of a folder.
enum class Split { kTrain, kValid };

struct ClipSetRules {
  Split split = Split::kTrain;
  /// Share of the shards that may be bad (damaged, missing, empty, made for another model): they
  /// are left out whole, with a warning.  reliability.md T7.
  double bad_share = 0.001;
};

/// Immutable and thread-safe.
class ClipSet {
 public:
  /// Files, or folders whose *.kshard are taken in the order of their names.  Of a folder with
  /// train-* or valid-* (a set of kani-data) only those of the split.  If it has a MANIFEST, every
  /// shard that this names must be there, be that file, and there must be no other; of shards
  /// "…-of-N" there must be N.  Shards are verified against their hashes, those that fail once
  /// more; all must agree in what their clips are.  Throws Error(kNotFound, kBadInput), also if
  /// more shards are bad than the rules allow.
  /// `tokens` stand in clips in place of their languages' tags.
  ClipSet(const std::vector<std::string>& places, const TokenLayout& layout,
          std::vector<LanguageToken> tokens = {}, ClipSetRules rules = {});

  /// Keeps of the first `places` the clips on one side of a division in which a share of the
  /// recordings, by the hash of their names (and of their sources'), is for validation; others stay
  /// for training.  All that was cut out of a recording is on one side; what is added later moves
  /// none.  Clips whose notes name no recording are divided by the hash of what they are.
  void keep(Split split, double valid_share, size_t places);

  /// Shards that were left out.
  size_t bad_shards() const { return bad_.size(); }
  size_t size() const { return where_.size(); }
  /// Clips of the first `places`; those of the next one come behind them.
  size_t clips_of_first(size_t places) const { return places == 0 ? 0 : ends_[places - 1]; }
  TrainingClip clip(size_t index) const;
  /// clip_ids() of what clip(index) gave, with the clip's name in its errors.
  std::vector<int32_t> ids(size_t index, const TrainingClip& clip, const TokenLayout& layout,
                           const SequenceRules& rules) const;
  /// Elements of the sequence that a clip becomes at most (voice slot included), without reading
  /// it.
  int64_t length(size_t index) const;
  const std::string& language(size_t index) const;
  /// "file:number", for messages and lists.
  std::string name(size_t index) const;
  /// SHA-256 over the shards' own hashes, in order.
  const std::string& hash() const { return hash_; }
  /// Numbers of a voice; 0 if no clip has one.
  int voice_dim() const;
  /// SHA-256 of the tokenizer.json that the text ids are of.
  const std::string& tokenizer() const { return shards_.front()->info().tokenizer; }

 private:
  // Returns the file's hash, which is `expected` unless that is empty.
  std::string add(const std::filesystem::path& file, const std::string& expected,
                  const TokenLayout& layout);
  // By which keep() divides.
  uint64_t division_key(size_t index) const;

  struct Place {
    uint32_t shard, clip;
  };
  std::vector<LanguageToken> tokens_;
  std::vector<std::shared_ptr<const TokenShard>> shards_;  // copies of a set share them
  std::vector<Place> where_;
  std::vector<size_t> ends_;      // by place: clips up to its end
  std::vector<std::string> bad_;  // why, each
  std::string hash_;
};

/// Calls `read`, and once more if it throws an Error: what is read over a network may fail once.
template <typename Read>
auto with_one_retry(const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    return read();
  }
}

}  // namespace kani::train
