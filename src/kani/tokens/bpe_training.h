// bpe_training.h - which merges a byte-level BPE gets from texts: the most frequent pair of
// neighbours becomes one, again and again (Sennrich et al. 2016).  Pairs do not reach over the
// pieces that the encoder works on (split.h).
// Not here: files, special tokens (tokenizer.json: kani-tool train-tokenizer).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kani/tokens/split.h"

namespace kani {

/// How often each piece is in the texts.
class PieceCounts {
 public:
  explicit PieceCounts(SplitRule rule) : rule_(rule) {}
  /// Text in UTF-8; what is not valid becomes U+FFFD, as when encoding.
  void add(std::string_view text);
  const std::map<std::string, int64_t, std::less<>>& counts() const { return counts_; }

 private:
  SplitRule rule_;
  std::map<std::string, int64_t, std::less<>> counts_;
};

/// The two parts, in bytes, of each merge in order: at most `count`, fewer if no pair is there at
/// least twice.  Of pairs that are equally frequent the one whose parts were there earlier wins
/// (bytes by value, then merges), so that the same texts in any order give the same merges.
std::vector<std::pair<std::string, std::string>> train_merges(const PieceCounts& pieces,
                                                              size_t count);

}  // namespace kani
