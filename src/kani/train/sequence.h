// sequence.h - a clip as the model sees it while training: ids, positions, targets; and several of
// them one behind the other.  Source: training.md 5.2, 6, 14.2.
// Nothing is padded: what upstream computes for a padded batch is what comes out here for its rows.
// Not here: which clips belong together (order.h), LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kani/formats/token_shard.h"
#include "kani/tokens/layout.h"

namespace kani::train {

/// Target of an element that has none.
inline constexpr int64_t kNoTarget = -100;

struct SequenceRules {
  double audio_step = 1;
  bool drop_repeated_frames = false;  // a frame equal to the one before it (training.md 5.2, 4)
  bool loss_on_text = true;           // false: only codes and what ends them are targets
};

/// SOH, text, END_OF_TEXT, EOH, SOA, SOS, codes, EOS, EOA.  Throws Error(kBadInput) for ids that
/// reach into the control ids and codes that the layout does not have.
std::vector<int32_t> clip_ids(const TokenLayout& layout, const TrainingClip& clip,
                              const SequenceRules& rules);

/// The clip back from ids, for sets that others prepared: text, codes.  Throws Error(kBadInput).
TrainingClip clip_of_ids(const TokenLayout& layout, std::span<const int32_t> ids);

/// Where a document's text and speech lie, as elements of the batch.
struct Speech {
  int64_t start = 0;                     // of the document
  int64_t text_begin = 0, text_end = 0;  // without BOS and END_OF_TEXT
  int64_t begin = 0, end = 0;            // elements whose targets are codes, and EOS
};

/// Documents one behind the other.  N elements in all, S of them voice slots.
struct PackedBatch {
  std::vector<int64_t> ids;        // [N]; 0 at a voice slot
  std::vector<float> positions;    // [N]
  std::vector<int64_t> targets;    // [N]; the id of the next element of the document, or kNoTarget
  std::vector<int64_t> starts{0};  // [documents + 1]
  std::vector<int64_t> voice_slots;  // [S] elements
  std::vector<float> voices;         // [S, D]
  std::vector<int64_t> rows;         // [documents] what the caller calls them
  std::vector<Speech> speech;        // [documents]
  int64_t labels = 0;  // ids without the voice slots: what upstream divides by (training.md 8.3)
  int64_t target_count = 0;
  // While training: the number from which the batch's dropout follows.
  std::optional<uint64_t> noise;

  int64_t elements() const { return static_cast<int64_t>(ids.size()); }
  int64_t documents() const { return static_cast<int64_t>(starts.size()) - 1; }

  /// Appends a document; an empty voice means that there is no slot.
  void add(const TokenLayout& layout, const SequenceRules& rules, std::span<const int32_t> clip_ids,
           std::span<const float> voice, int64_t row);
};

}  // namespace kani::train
