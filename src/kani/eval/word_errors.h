// word_errors.h - how a text that was heard differs from the one that was spoken: least number of
// words (or characters) replaced, dropped and added.  Source: V. Levenshtein, 1966; word error rate
// as NIST's sclite counts it.  Not here: what counts as the same word (spoken_words.h).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

struct EditCounts {
  size_t length = 0;  // of the text that was spoken
  size_t substitutions = 0, insertions = 0, deletions = 0;

  size_t errors() const { return substitutions + insertions + deletions; }
  /// Errors for each word that was spoken, above 1 with many insertions; for an empty text the
  /// number of insertions.
  double rate() const {
    return static_cast<double>(errors()) / static_cast<double>(length == 0 ? 1 : length);
  }
  EditCounts& operator+=(const EditCounts& other);
};

enum class Edit { kSame, kReplaced, kAdded, kDropped };

/// One step of the way from the spoken to the heard text.
struct EditStep {
  Edit edit = Edit::kSame;
  size_t spoken = 0;  // index of the word; of kAdded the one it stands before
  size_t heard = 0;   // likewise; of kDropped the one it stood before
};

/// A shortest way, in order.  Of several the one that keeps words as early as it can.  Memory and
/// time are the product of the lengths: for sentences.
std::vector<EditStep> align_words(std::span<const std::string> spoken,
                                  std::span<const std::string> heard);

EditCounts word_errors(std::span<const std::string> spoken, std::span<const std::string> heard);
/// Of code points.
EditCounts character_errors(std::u32string_view spoken, std::u32string_view heard);

}  // namespace kani
