// bpe.cc - two ways to the same ids.  Words are short: for them a scan over an array on the stack
// beats any clever structure.  A megabyte without a blank must not take quadratic time: linked
// symbols and a heap.
#include "kani/tokens/bpe.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <functional>

#include "kani/base/random.h"

namespace kani {
namespace {

constexpr size_t kShortPiece = 48;
constexpr uint32_t kNone = MergeTable::kNone;

}  // namespace

MergeTable::MergeTable(size_t count) : slots_(std::bit_ceil(2 * count + 1)) {
  merged_.reserve(count);
}

size_t MergeTable::first_place(int32_t left, int32_t right) const noexcept {
  const uint64_t pair =
      (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  return splitmix64(pair) & (slots_.size() - 1);
}

bool MergeTable::add(int32_t left, int32_t right, int32_t merged) {
  if (rank(left, right) != kNone) return false;
  size_t place = first_place(left, right);
  while (slots_[place].rank != kNone) place = (place + 1) & (slots_.size() - 1);
  slots_[place] = {left, right, static_cast<uint32_t>(merged_.size())};
  merged_.push_back(merged);
  return true;
}

uint32_t MergeTable::rank(int32_t left, int32_t right) const noexcept {
  for (size_t place = first_place(left, right);; place = (place + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[place];
    if (slot.rank == kNone || (slot.left == left && slot.right == right)) return slot.rank;
  }
}

void Bpe::encode(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const {
  if (whole_pieces_first) {
    if (const int32_t id = tokens.find(piece); id >= 0) {
      out.push_back(id);
      return;
    }
  }
  if (piece.size() <= kShortPiece) {
    encode_short(piece, out);
  } else {
    encode_long(piece, scratch, out);
  }
}

void Bpe::encode_short(std::string_view piece, std::vector<int32_t>& out) const {
  std::array<int32_t, kShortPiece> ids;
  std::array<uint32_t, kShortPiece> ranks;  // of the pair (i, i + 1)
  size_t count = piece.size();
  for (size_t i = 0; i < count; ++i) ids[i] = byte_ids[static_cast<unsigned char>(piece[i])];
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = merges.rank(ids[i], ids[i + 1]);
  while (count > 1) {
    const auto best =
        std::min_element(ranks.begin(), ranks.begin() + (count - 1));  // the first of equals
    if (*best == kNone) break;
    const auto i = static_cast<size_t>(best - ranks.begin());
    ids[i] = merges.merged(*best);
    --count;
    std::copy(ids.begin() + i + 2, ids.begin() + count + 1, ids.begin() + i + 1);
    if (i + 1 < count) {
      std::copy(ranks.begin() + i + 1, ranks.begin() + count, ranks.begin() + i);
      ranks[i] = merges.rank(ids[i], ids[i + 1]);
    }
    if (i > 0) ranks[i - 1] = merges.rank(ids[i - 1], ids[i]);
  }
  out.insert(out.end(), ids.begin(), ids.begin() + count);
}

void Bpe::encode_long(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const {
  assert(piece.size() < kNone);
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  const auto count = static_cast<uint32_t>(piece.size());
  symbols.resize(count);
  heap.clear();
  const auto rank_pair = [&](uint32_t at) {
    Scratch::Symbol& symbol = symbols[at];
    symbol.rank = symbol.next == kNone ? kNone : merges.rank(symbol.id, symbols[symbol.next].id);
    return (uint64_t{symbol.rank} << 32) | at;
  };
  for (uint32_t i = 0; i < count; ++i) {
    symbols[i] = {byte_ids[static_cast<unsigned char>(piece[i])], i > 0 ? i - 1 : kNone,
                  i + 1 < count ? i + 1 : kNone, kNone};
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (const uint64_t entry = rank_pair(i); symbols[i].rank != kNone) heap.push_back(entry);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto offer = [&](uint32_t at) {
    if (const uint64_t entry = rank_pair(at); symbols[at].rank != kNone) {
      heap.push_back(entry);
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    const auto at = static_cast<uint32_t>(heap.back());
    heap.pop_back();
    Scratch::Symbol& left = symbols[at];
    if (left.rank != rank)
      continue;  // the pair has changed or is gone since it was put on the heap
    Scratch::Symbol& right = symbols[left.next];
    left.id = merges.merged(rank);
    left.next = right.next;
    right.rank = kNone;
    if (left.next != kNone) symbols[left.next].previous = at;
    offer(at);
    if (left.previous != kNone) offer(left.previous);
  }
  for (uint32_t i = 0; i != kNone; i = symbols[i].next) out.push_back(symbols[i].id);
}

}  // namespace kani
