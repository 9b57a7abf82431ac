// clip_set.h - all clips of a run: shards one behind the other, read when they are needed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/formats/token_shard.h"
#include "kani/train/language_tokens.h"
#include "kani/train/sequence.h"

namespace kani::train {

/// Immutable and thread-safe.
class ClipSet {
 public:
  /// Files, or folders whose *.kshard are taken in the order of their names: only train-* if there
  /// are such (a set of kani-data has others that must not be trained on).  Shards are verified
  /// against their hashes; all must agree in what their clips are.  Throws Error(kNotFound,
  /// kBadInput).
  /// `tokens` stand in clips in place of their languages' tags.
  ClipSet(const std::vector<std::string>& places, const TokenLayout& layout,
          std::vector<LanguageToken> tokens = {});

  size_t size() const { return where_.size(); }
  /// Clips of the first `places`; those of the next one come behind them.
  size_t clips_of_first(size_t places) const { return places == 0 ? 0 : ends_[places - 1]; }
  TrainingClip clip(size_t index) const;
  /// Elements of the sequence that a clip becomes at most (voice slot included), without reading
  /// it.
  int64_t length(size_t index) const;
  const std::string& language(size_t index) const;
  /// "file:number", for messages and lists.
  std::string name(size_t index) const;
  /// SHA-256 over the shards' own hashes, in order.
  const std::string& hash() const { return hash_; }
  int voice_dim() const;

 private:
  // Returns the file's hash.
  std::string add(const std::filesystem::path& file, const TokenLayout& layout);

  struct Place {
    uint32_t shard, clip;
  };
  std::vector<LanguageToken> tokens_;
  std::vector<TokenShard> shards_;
  std::vector<Place> where_;
  std::vector<size_t> ends_;  // by place: clips up to its end
  std::string hash_;
};

}  // namespace kani::train
