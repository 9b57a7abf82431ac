// bpe_training.cc - see bpe_training.h.  Symbols are numbers: 0 to 255 the bytes, then merges.
#include "kani/tokens/bpe_training.h"

#include <algorithm>
#include <unordered_map>

#include "kani/base/utf8.h"

namespace kani {
namespace {

constexpr int64_t kLeast = 2;  // a pair that is there once says nothing

struct Word {
  std::vector<uint32_t> symbols;
  int64_t count = 0;
};

struct Pair {
  int64_t count = 0;
  std::vector<uint32_t> words;  // where it was seen; some may have lost it since
};

uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

class Merging {
 public:
  explicit Merging(const PieceCounts& pieces) {
    for (int byte = 0; byte < 256; ++byte) texts_.emplace_back(1, static_cast<char>(byte));
    for (const auto& [piece, count] : pieces.counts()) {
      Word word{{}, count};
      for (const char c : piece) word.symbols.push_back(static_cast<unsigned char>(c));
      words_.push_back(std::move(word));
      note(static_cast<uint32_t>(words_.size() - 1), /*sign=*/1);
    }
  }

  // The most frequent pair, then the one of the earliest parts; false if there is none.
  bool best(uint64_t& key) const {
    int64_t most = kLeast - 1;
    for (const auto& [candidate, pair] : pairs_) {
      if (pair.count < most || (pair.count == most && (most < kLeast || candidate > key))) continue;
      most = pair.count;
      key = candidate;
    }
    return most >= kLeast;
  }

  std::pair<std::string, std::string> merge(uint64_t key) {
    const auto left = static_cast<uint32_t>(key >> 32), right = static_cast<uint32_t>(key);
    std::vector<uint32_t> where = std::move(pairs_[key].words);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    const auto merged = static_cast<uint32_t>(texts_.size());
    texts_.push_back(texts_[left] + texts_[right]);
    for (const uint32_t index : where) {
      note(index, /*sign=*/-1);
      std::vector<uint32_t>& symbols = words_[index].symbols;
      size_t kept = 0;
      for (size_t i = 0; i < symbols.size(); ++i) {
        const bool here = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
        symbols[kept++] = here ? merged : symbols[i];
        i += here ? 1 : 0;
      }
      symbols.resize(kept);
      note(index, /*sign=*/1);
    }
    pairs_.erase(key);
    return {texts_[left], texts_[right]};
  }

 private:
  // Adds the pairs of a word, or takes them away.
  void note(uint32_t index, int sign) {
    const Word& word = words_[index];
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      Pair& pair = pairs_[key_of(word.symbols[i], word.symbols[i + 1])];
      pair.count += sign * word.count;
      if (sign > 0) pair.words.push_back(index);
    }
  }

  std::vector<std::string> texts_;  // of symbols
  std::vector<Word> words_;
  std::unordered_map<uint64_t, Pair> pairs_;
};

}  // namespace

void PieceCounts::add(std::string_view text) {
  const std::string valid = replace_invalid_utf8(text);
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view piece = rest.substr(0, first_piece(rule_, rest));
    rest.remove_prefix(piece.size());
    const auto found = counts_.find(piece);
    if (found != counts_.end()) {
      ++found->second;
    } else {
      counts_.emplace(piece, 1);
    }
  }
}

std::vector<std::pair<std::string, std::string>> train_merges(const PieceCounts& pieces,
                                                              size_t count) {
  Merging merging(pieces);
  std::vector<std::pair<std::string, std::string>> out;
  for (uint64_t key = 0; out.size() < count && merging.best(key);)
    out.push_back(merging.merge(key));
  return out;
}

}  // namespace kani
