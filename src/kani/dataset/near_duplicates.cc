// near_duplicates.cc - see near_duplicates.h.
#include "kani/dataset/near_duplicates.h"

#include <algorithm>
#include <set>

#include "kani/base/random.h"

namespace kani {
namespace {

constexpr size_t kWindow = 16;      // frames
constexpr size_t kMostInShort = 4;  // different codes that a short clip must have
constexpr double kSameShare = 0.6;

/// Nothing for codes that repeat too much to tell one clip from another.
std::optional<uint64_t> window_hash(std::span<const int32_t> codes) {
  std::vector<int32_t> sorted(codes.begin(), codes.end());
  std::sort(sorted.begin(), sorted.end());
  const auto different =
      static_cast<size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
  if (different < std::min(codes.size() / 2, kWindow / 2) || different < kMostInShort)
    return std::nullopt;
  uint64_t hash = codes.size();
  for (const int32_t code : codes) hash = splitmix64(hash ^ static_cast<uint64_t>(code));
  return hash;
}

/// The whole of a short clip, else windows every `step` frames and one at the end.
template <typename Take>
void for_windows(std::span<const int32_t> codes, size_t step, Take take) {
  const size_t window = std::min(codes.size(), kWindow);
  if (window == 0) return;
  const size_t last = codes.size() - window;
  for (size_t at = 0;; at = std::min(at + step, last)) {
    if (const auto hash = window_hash(codes.subspan(at, window))) take(at, *hash);
    if (at == last) return;
  }
}

}  // namespace

std::optional<NearDuplicates::Found> NearDuplicates::find(
    std::span<const int32_t> first_codebook) const {
  struct Match {
    std::set<uint64_t> hashes;
    size_t covered = 0;  // frames of the new clip
    size_t end = 0;      // of the last window that matched
  };
  std::unordered_map<uint32_t, Match> matches;
  const size_t window = std::min(first_codebook.size(), kWindow);
  for_windows(first_codebook, 1, [&](size_t at, uint64_t hash) {
    const auto found = windows_.find(hash);
    if (found == windows_.end()) return;
    Match& match = matches[found->second];
    match.hashes.insert(hash);
    match.covered += at + window - std::max(at, match.end);
    match.end = at + window;
  });
  std::optional<Found> best;
  for (const auto& [place, match] : matches) {
    const Clip& clip = clips_[place];
    const double share =
        std::max(static_cast<double>(match.covered) / static_cast<double>(first_codebook.size()),
                 static_cast<double>(match.hashes.size()) / clip.windows);
    if (share < kSameShare) continue;
    if (!best || share > best->share || (share == best->share && clip.owner < best->owner))
      best = Found{clip.owner, share};
  }
  return best;
}

void NearDuplicates::add(std::span<const int32_t> first_codebook, uint64_t owner) {
  const auto place = static_cast<uint32_t>(clips_.size());
  Clip clip{.owner = owner};
  for_windows(first_codebook, kWindow, [&](size_t, uint64_t hash) {
    windows_.try_emplace(hash, place);
    ++clip.windows;
  });
  if (clip.windows > 0) clips_.push_back(clip);
}

}  // namespace kani
