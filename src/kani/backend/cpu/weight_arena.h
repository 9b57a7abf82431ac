// weight_arena.h - memory for packed weights, one matrix behind the other in pieces of huge pages.
// A matrix of 4 bits is smaller than what Buffer maps by itself, and in pages of 4 KB it is read a
// tenth more slowly.  Not here: activations and caches (base/buffer.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kani/base/buffer.h"

namespace kani::cpu {

/// Used by one thread at a time; what it gave away may outlive it and be freed anywhere.
class WeightArena {
 public:
  /// `bytes` zeros, aligned to 64.  The piece that they lie in is freed with the last of its users.
  /// Throws Error(kOutOfMemory).
  std::shared_ptr<uint8_t> take(size_t bytes) {
    const size_t left = piece_ ? piece_->size() - used_ : 0;
    if (bytes > left) {
      if (bytes >= kPiece) return part(std::make_shared<Buffer<uint8_t>>(bytes), 0);
      piece_ = std::make_shared<Buffer<uint8_t>>(kPiece);
      used_ = 0;
    }
    const size_t begin = used_;
    used_ = std::min(piece_->size(), begin + (bytes + 63) / 64 * 64);
    return part(piece_, begin);
  }

 private:
  static constexpr size_t kPiece = size_t{32} << 20;

  static std::shared_ptr<uint8_t> part(const std::shared_ptr<Buffer<uint8_t>>& piece,
                                       size_t begin) {
    return {piece, piece->data() + begin};
  }

  std::shared_ptr<Buffer<uint8_t>> piece_;
  size_t used_ = 0;
};

}  // namespace kani::cpu
