// near_duplicates.h - finds clips whose codes were there before, for the most part: the same
// recording with another gain, in another file format, or with more around it.  As far as the codec
// gives the same codes: moved by a part of a frame a recording has others and is not found.
// Source: training.md 15.10.
//
// Of every clip that is kept the codes of the first codebook are remembered by hashes of windows of
// 16 frames (1.28 s), one behind the other; a new clip is looked up at each of its frames, so the
// two may begin at different places.  Windows with few different codes (silence, a held sound) say
// nothing.  About 2 bytes of memory for each frame that is kept.
// Not here: equal samples (their hash tells), equal texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace kani {

/// One thread at a time.
class NearDuplicates {
 public:
  struct Found {
    uint64_t owner = 0;
    double share = 0;  // of the shorter of the two that is the same
  };
  /// The earlier clip that this one repeats: windows of it cover at least 60 % of the new one's
  /// frames, or the new one holds at least 60 % of the earlier one's windows.  Clips shorter than a
  /// window must be equal.
  std::optional<Found> find(std::span<const int32_t> first_codebook) const;
  void add(std::span<const int32_t> first_codebook, uint64_t owner);

 private:
  std::unordered_map<uint64_t, uint32_t> windows_;  // hash to a place in clips_
  struct Clip {
    uint64_t owner = 0;
    uint32_t windows = 0;
  };
  std::vector<Clip> clips_;
};

}  // namespace kani
