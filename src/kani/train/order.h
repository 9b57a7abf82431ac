// order.h - which clips are seen when: a pure function of seed and epoch, so that any update can be
// told from its number and a resumed run continues where it was.
// Source: training.md 6.3 (upstream), 14.2 (packing).  Not here: clips, LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace kani::train {

/// Clips that are computed together: one row of a micro-batch.
using Row = std::vector<uint32_t>;

struct PackingRules {
  int64_t length = 16384;  // elements of a row
  int64_t window = 4096;   // clips of the epoch's order that are put into rows together
};

/// 0 … count-1 shuffled by (seed, epoch), the same on every machine.
std::vector<uint32_t> shuffled(uint32_t count, uint64_t seed, uint64_t epoch);

/// How often a clip of each language is seen in an epoch, so that a language's share becomes
/// proportional to weight x clips^temperature while the epoch keeps its length.  1 and no weights
/// leave everything as it is; 0 makes all languages equal.  counts[language] = clips.  Throws
/// Error(kInvalidArgument) for weights of languages that have no clip.
std::map<std::string, double> language_factors(const std::map<std::string, uint32_t>& counts,
                                               double temperature,
                                               const std::map<std::string, double>& weights);

/// Places 0 … factors.size()-1, each as often as its factor says: the whole part always, the rest
/// for another random share of those with the same factor in each epoch.  Shuffled by (seed,
/// epoch).  With factors of 1 the same as shuffled().
std::vector<uint32_t> repeated(std::span<const double> factors, uint64_t seed, uint64_t epoch);

/// All clips of `order` in rows of at most rules.length elements, each once: best fit, longest
/// first within a window, rows shuffled by (seed, epoch).  lengths[clip] is at most rules.length
/// (Error(kInvalidArgument) otherwise).
std::vector<Row> pack_rows(std::span<const uint32_t> order, std::span<const int64_t> lengths,
                           const PackingRules& rules, uint64_t seed, uint64_t epoch);

/// Upstream's batches: `order` cut into batches of `size`, the last one short.  For several `ranks`
/// as its library accelerate deals them out: batch j is rank j mod ranks's, and clips from the
/// beginning of `order` fill the last batch and make others until all ranks have as many.
std::vector<Row> cut_batches(std::span<const uint32_t> order, size_t size, size_t ranks = 1);

/// Batches of `size` clips of like length: within every `window` batches' worth of `order` sorted
/// by length, the batches shuffled by (seed, epoch).  Each clip once; one batch of each window may
/// be short.  window is 1 or more (Error(kInvalidArgument) otherwise).
std::vector<Row> bucket_batches(std::span<const uint32_t> order, std::span<const int64_t> lengths,
                                size_t size, size_t window, uint64_t seed, uint64_t epoch);

/// Share of a row's elements that are used, over all rows.
double fill(std::span<const Row> rows, std::span<const int64_t> lengths, int64_t length);

}  // namespace kani::train
