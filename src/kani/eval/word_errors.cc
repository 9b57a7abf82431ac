// word_errors.cc - see word_errors.h.
#include "kani/eval/word_errors.h"

#include <algorithm>

namespace kani {
namespace {

/// The table of distances between all beginnings, then the way back through it.
template <typename Same>
std::vector<EditStep> align(size_t rows, size_t cols, const Same& same) {
  const size_t width = cols + 1;
  std::vector<size_t> cost((rows + 1) * width);
  for (size_t i = 0; i <= rows; ++i) cost[i * width] = i;
  for (size_t j = 0; j <= cols; ++j) cost[j] = j;
  for (size_t i = 1; i <= rows; ++i) {
    for (size_t j = 1; j <= cols; ++j) {
      const size_t kept = cost[(i - 1) * width + j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      const size_t dropped = cost[(i - 1) * width + j] + 1, added = cost[i * width + j - 1] + 1;
      cost[i * width + j] = std::min({kept, dropped, added});
    }
  }
  std::vector<EditStep> steps;
  for (size_t i = rows, j = cols; i > 0 || j > 0;) {
    const size_t here = cost[i * width + j];
    const bool both = i > 0 && j > 0;
    // From the end, so whatever is added or dropped is taken first: what is the same moves forward.
    if (j > 0 && cost[i * width + j - 1] + 1 == here) {
      steps.push_back({Edit::kAdded, i, --j});
    } else if (i > 0 && cost[(i - 1) * width + j] + 1 == here) {
      steps.push_back({Edit::kDropped, --i, j});
    } else if (both) {
      const bool equal = same(i - 1, j - 1);
      steps.push_back({equal ? Edit::kSame : Edit::kReplaced, --i, --j});
    }
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

EditCounts count(const std::vector<EditStep>& steps, size_t length) {
  EditCounts counts;
  counts.length = length;
  for (const EditStep& step : steps) {
    counts.substitutions += step.edit == Edit::kReplaced ? 1 : 0;
    counts.insertions += step.edit == Edit::kAdded ? 1 : 0;
    counts.deletions += step.edit == Edit::kDropped ? 1 : 0;
  }
  return counts;
}

}  // namespace

EditCounts& EditCounts::operator+=(const EditCounts& other) {
  length += other.length;
  substitutions += other.substitutions;
  insertions += other.insertions;
  deletions += other.deletions;
  return *this;
}

std::vector<EditStep> align_words(std::span<const std::string> spoken,
                                  std::span<const std::string> heard) {
  return align(spoken.size(), heard.size(),
               [&](size_t i, size_t j) { return spoken[i] == heard[j]; });
}

EditCounts word_errors(std::span<const std::string> spoken, std::span<const std::string> heard) {
  return count(align_words(spoken, heard), spoken.size());
}

EditCounts character_errors(std::u32string_view spoken, std::u32string_view heard) {
  return count(
      align(spoken.size(), heard.size(), [&](size_t i, size_t j) { return spoken[i] == heard[j]; }),
      spoken.size());
}

}  // namespace kani
