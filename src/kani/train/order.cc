// order.cc - see order.h.
#include "kani/train/order.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

// Uniform below `count` without bias (Lemire 2019).
uint64_t below(Random& random, uint64_t count) {
  const uint64_t reject = (0 - count) % count;
  while (true) {
    const __uint128_t product = static_cast<__uint128_t>(random.next_u64()) * count;
    if (static_cast<uint64_t>(product) >= reject) return static_cast<uint64_t>(product >> 64);
  }
}

template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(random, i)]);
}

}  // namespace

std::vector<uint32_t> shuffled(uint32_t count, uint64_t seed, uint64_t epoch) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Random random(splitmix64(splitmix64(seed) ^ epoch));
  shuffle(order, random);
  return order;
}

std::map<std::string, double> language_factors(const std::map<std::string, uint32_t>& counts,
                                               double temperature,
                                               const std::map<std::string, double>& weights) {
  for (const auto& [language, weight] : weights)
    require(counts.contains(language), "language_weights names \"", language,
            "\", of which there is no clip");
  double clips = 0, sum = 0;
  std::map<std::string, double> wanted;
  for (const auto& [language, count] : counts) {
    const auto weight = weights.find(language);
    wanted[language] =
        (weight == weights.end() ? 1 : weight->second) * std::pow(double{1} * count, temperature);
    sum += wanted[language];
    clips += count;
  }
  for (auto& [language, value] : wanted) value *= clips / sum / counts.find(language)->second;
  return wanted;
}

std::vector<uint32_t> repeated(std::span<const double> factors, uint64_t seed, uint64_t epoch) {
  std::map<double, std::vector<uint32_t>> groups;
  for (size_t i = 0; i < factors.size(); ++i)
    groups[factors[i]].push_back(static_cast<uint32_t>(i));
  std::vector<uint32_t> places;
  for (const auto& [factor, members] : groups) {
    const auto whole = static_cast<size_t>(factor);
    for (size_t n = 0; n < whole; ++n) places.insert(places.end(), members.begin(), members.end());
    const auto rest = static_cast<size_t>(
        std::llround((factor - std::floor(factor)) * static_cast<double>(members.size())));
    const auto order = shuffled(static_cast<uint32_t>(members.size()), splitmix64(seed + 3), epoch);
    for (size_t i = 0; i < rest; ++i) places.push_back(members[order[i]]);
  }
  std::sort(places.begin(), places.end());
  std::vector<uint32_t> out;
  for (const uint32_t i : shuffled(static_cast<uint32_t>(places.size()), seed, epoch))
    out.push_back(places[i]);
  return out;
}

std::vector<Row> pack_rows(std::span<const uint32_t> order, std::span<const int64_t> lengths,
                           const PackingRules& rules, uint64_t seed, uint64_t epoch) {
  require(rules.length >= 1 && rules.window >= 1, "pack_length and its window must be 1 or more");
  std::vector<Row> rows;
  std::multimap<int64_t, size_t> open;  // room that is left -> row
  const auto window = static_cast<size_t>(rules.window);
  for (size_t first = 0; first < order.size(); first += window) {
    const auto part = order.subspan(first, std::min(window, order.size() - first));
    std::vector<uint32_t> longest(part.begin(), part.end());
    std::stable_sort(longest.begin(), longest.end(),
                     [&](uint32_t a, uint32_t b) { return lengths[a] > lengths[b]; });
    for (const uint32_t clip : longest) {
      const int64_t length = lengths[clip];
      require(length <= rules.length, "a clip of ", length, " elements, pack_length is ",
              rules.length);
      const auto fits = open.lower_bound(length);
      if (fits == open.end()) {
        rows.push_back({clip});
        open.emplace(rules.length - length, rows.size() - 1);
        continue;
      }
      const auto [room, row] = *fits;
      open.erase(fits);
      rows[row].push_back(clip);
      if (room > length) open.emplace(room - length, row);
    }
    // A row with less room than this is as good as full.
    open.erase(open.begin(), open.lower_bound(rules.length / 100));
  }
  Random random(splitmix64(splitmix64(seed + 1) ^ epoch));
  shuffle(rows, random);
  return rows;
}

std::vector<Row> cut_batches(std::span<const uint32_t> order, size_t size, size_t ranks) {
  require(size >= 1, "a batch of ", size, " clips, must be 1 or more");
  std::vector<Row> rows;
  for (size_t first = 0; first < order.size(); first += size) {
    const auto part = order.subspan(first, std::min(size, order.size() - first));
    rows.emplace_back(part.begin(), part.end());
  }
  if (ranks <= 1 || order.empty()) return rows;
  const size_t first_round = std::min(order.size(), ranks * size);
  size_t next = 0;
  const auto fill = [&](Row& row) {
    while (row.size() < size) row.push_back(order[next++ % first_round]);
  };
  fill(rows.back());
  while (rows.size() % ranks != 0) fill(rows.emplace_back());
  return rows;
}

std::vector<Row> bucket_batches(std::span<const uint32_t> order, std::span<const int64_t> lengths,
                                size_t size, size_t window, uint64_t seed, uint64_t epoch) {
  require(size >= 1 && window >= 1, "batches and their window must be 1 or more");
  std::vector<Row> rows;
  for (size_t first = 0; first < order.size(); first += size * window) {
    const auto part = order.subspan(first, std::min(size * window, order.size() - first));
    std::vector<uint32_t> sorted(part.begin(), part.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](uint32_t a, uint32_t b) { return lengths[a] < lengths[b]; });
    for (Row& row : cut_batches(sorted, size)) rows.push_back(std::move(row));
  }
  Random random(splitmix64(splitmix64(seed + 9) ^ epoch));
  shuffle(rows, random);
  return rows;
}

double fill(std::span<const Row> rows, std::span<const int64_t> lengths, int64_t length) {
  int64_t used = 0;
  for (const Row& row : rows) {
    for (const uint32_t clip : row) used += lengths[clip];
  }
  return rows.empty() ? 1
                      : static_cast<double>(used) / static_cast<double>(length) /
                            static_cast<double>(rows.size());
}

}  // namespace kani::train
