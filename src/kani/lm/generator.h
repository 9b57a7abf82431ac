// generator.h - the generation loop: a prompt in, frames of codes out, one at a time
// (language-model.md 8, 9.3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kani/lm/lfm2.h"
#include "kani/lm/sampler.h"
#include "kani/tokens/layout.h"

namespace kani {

/// A prompt as the model is fed with it: ids at their positions, the voice slot (if `voice`) behind
/// the first.  `positions` goes on behind it.
std::vector<Element> prompt_elements(std::span<const int32_t> prompt, bool voice,
                                     FramePositions& positions);

struct GenerationSettings {
  Sampling sampling;
  uint64_t seed = 0;
  int max_frames = 750;      // 60 s
  bool forbid_empty = true;  // END_OF_SPEECH only after one frame
};

class FrameGenerator;

/// Advances utterances together, so that each weight is read once for all of them.  What each says
/// is what it would say alone, bit for bit.  One thread at a time; `model` must outlive it.
class GenerationBatch {
 public:
  explicit GenerationBatch(Lfm2& model) : model_(model) {}

  /// One frame more for each of `utterances` (of this model, all different) that has not ended;
  /// FrameGenerator::frame() shows it.
  void advance(std::span<FrameGenerator* const> utterances);

 private:
  void choose(int slot);
  void feed(int slot);

  Lfm2& model_;
  std::vector<FrameGenerator*> active_;
  std::vector<float> hidden_;  // [active, H]
  std::vector<float> logits_;  // [active, columns]
  std::vector<Element> elements_;
  std::vector<SequenceStep> steps_;
  std::vector<FrameGenerator*> fed_;
};

/// One utterance.  Only legal tokens are ever chosen: slot s of a frame takes a code of codebook s,
/// END_OF_SPEECH is offered at slot 0 alone.  One thread at a time; `model` must outlive it.
class FrameGenerator {
 public:
  /// `prompt` ends with START_OF_SPEECH.  `voice`: speaker_emb_dim numbers or empty.  Throws as
  /// Lfm2Sequence.
  FrameGenerator(Lfm2& model, std::span<const int32_t> prompt, std::span<const float> voice,
                 const GenerationSettings& settings);

  /// The codes of the next frame, one per codebook; nothing once speech has ended or the limit is
  /// reached.
  std::optional<std::span<const int32_t>> next();

  /// The codes of the frame that was made last; nothing before the first and after the end.
  std::optional<std::span<const int32_t>> frame() const;
  bool ended() const { return ended_; }

  /// True if generation stopped at max_frames and not at END_OF_SPEECH.
  bool limit_reached() const { return limit_reached_; }
  uint64_t tokens() const { return tokens_; }  // audio tokens generated

 private:
  friend class GenerationBatch;
  bool begin_frame();
  bool choose(int slot, std::span<const float> logits);
  bool needs(int slot) const;
  void remember(int32_t id);

  GenerationBatch alone_;
  TokenLayout layout_;
  GenerationSettings settings_;
  Sampler sampler_;
  FramePositions positions_;
  Lfm2Sequence sequence_;
  std::vector<float> hidden_;  // of the last element; ours, so that utterances can alternate
  std::vector<std::vector<int32_t>> seen_;  // per codebook: codes that occurred, each once
  std::vector<std::vector<bool>> is_seen_;
  std::vector<int32_t> frame_;
  int frames_ = 0;
  uint64_t tokens_ = 0;
  bool ended_ = false;
  bool limit_reached_ = false;
};

}  // namespace kani
