// bpe.h - byte-pair encoding: a piece's bytes are merged pair by pair, lowest rank first, leftmost
// on ties. Source: language-model.md 3.1 step 4.  Works on plain bytes: the 256 symbols of
// tokenizer.json are translated when the file is read (step 3), so that no text has to be.  Not
// here: what a piece is (split.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kani/tokens/token_table.h"

namespace kani {

/// Pairs of ids that merge, their ranks and what they become.  Filled once, then immutable and
/// thread-safe.
class MergeTable {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFFu;

  MergeTable() : MergeTable(0) {}
  explicit MergeTable(size_t count);

  /// Adds the pair with the next rank.  False if it is there already.
  bool add(int32_t left, int32_t right, int32_t merged);
  /// Rank of the pair, kNone if it does not merge.
  uint32_t rank(int32_t left, int32_t right) const noexcept;
  int32_t merged(uint32_t rank) const { return merged_[rank]; }

 private:
  struct Slot {
    int32_t left = 0;
    int32_t right = 0;
    uint32_t rank = kNone;
  };
  size_t first_place(int32_t left, int32_t right) const noexcept;

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::vector<int32_t> merged_;
};

/// Immutable and thread-safe.
struct Bpe {
  /// Buffers that one encoding after the other can use.
  struct Scratch {
    struct Symbol {
      int32_t id;
      uint32_t previous, next;  // neighbours that are left; kNone at the ends
      uint32_t rank;            // of the pair with the next one
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> heap;  // rank in the upper half, place in the lower
  };

  TokenTable tokens;
  MergeTable merges;
  std::array<int32_t, 256> byte_ids{};
  bool whole_pieces_first = false;  // "ignore_merges": a piece that is a token needs no merging

  /// Appends the ids of `piece` (not empty, below 2^32 - 1 bytes).  Time n log n in the piece's
  /// length.
  void encode(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const;

 private:
  void encode_short(std::string_view piece, std::vector<int32_t>& out) const;
  void encode_long(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const;
};

}  // namespace kani
