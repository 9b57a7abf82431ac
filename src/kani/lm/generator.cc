// generator.cc - see generator.h.
#include "kani/lm/generator.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani {
namespace {

size_t elements_needed(std::span<const int32_t> prompt, std::span<const float> voice,
                       const GenerationSettings& settings, int tokens_per_frame) {
  require(settings.max_frames > 0, "the limit of frames is ", settings.max_frames,
          ", must be 1 or more");
  return prompt.size() + (voice.empty() ? 0 : 1) +
         static_cast<size_t>(settings.max_frames) * static_cast<size_t>(tokens_per_frame);
}

}  // namespace

FrameGenerator::FrameGenerator(Lfm2& model, std::span<const int32_t> prompt,
                               std::span<const float> voice, const GenerationSettings& settings)
    : model_(model),
      layout_(TokenLayout::of(model.config())),
      settings_(settings),
      sampler_(settings.sampling, settings.seed),
      positions_(layout_, model.config().audio_step),
      sequence_(model, elements_needed(prompt, voice, settings, layout_.codebooks), voice),
      hidden_(static_cast<size_t>(model.config().hidden_size)),
      seen_(static_cast<size_t>(layout_.codebooks)),
      is_seen_(static_cast<size_t>(layout_.codebooks),
               std::vector<bool>(static_cast<size_t>(layout_.codebook_size))),
      logits_(model.codebook_columns(0)),
      frame_(static_cast<size_t>(layout_.codebooks)) {
  require(!prompt.empty(), "an empty prompt");
  std::vector<Element> elements;
  for (size_t i = 0; i < prompt.size(); ++i) {
    if (i == 1 && !voice.empty()) elements.push_back({kVoiceSlot, positions_.next_voice()});
    elements.push_back({prompt[i], positions_.next(prompt[i])});
    remember(prompt[i]);
  }
  feed(elements);
}

// The penalty looks at codes of the current codebook only: no other id is among the candidates.
void FrameGenerator::remember(int32_t id) {
  if (!layout_.is_audio(id)) return;
  const auto codebook = static_cast<size_t>((id - layout_.audio_start) / layout_.codebook_size);
  const int32_t code = (id - layout_.audio_start) % layout_.codebook_size;
  if (codebook >= seen_.size() || is_seen_[codebook][static_cast<size_t>(code)]) return;
  is_seen_[codebook][static_cast<size_t>(code)] = true;
  seen_[codebook].push_back(code);
}

void FrameGenerator::feed(std::span<const Element> elements) {
  const SequenceStep step{&sequence_, elements};
  const ConstMatrix hidden = model_.forward({&step, 1});
  std::copy_n(hidden.data(), hidden_.size(), hidden_.begin());
}

std::optional<std::span<const int32_t>> FrameGenerator::next() {
  if (ended_) return std::nullopt;
  if (frames_ == settings_.max_frames) {
    ended_ = limit_reached_ = true;
    return std::nullopt;
  }
  for (int slot = 0; slot < layout_.codebooks; ++slot) {
    const auto s = static_cast<size_t>(slot);
    const size_t columns = model_.codebook_columns(slot);
    model_.codebook_logits({hidden_.data(), 1, hidden_.size()}, slot, {logits_.data(), 1, columns});
    // The last column of slot 0 is END_OF_SPEECH.
    const bool end_forbidden = slot == 0 && frames_ == 0 && settings_.forbid_empty;
    const size_t legal = end_forbidden ? columns - 1 : columns;
    const int32_t code = sampler_.pick({logits_.data(), legal}, seen_[s]);
    if (code == layout_.codebook_size) {
      ended_ = true;
      return std::nullopt;
    }
    frame_[s] = code;
    const int32_t id = layout_.audio_id(slot, code);
    remember(id);
    ++tokens_;
    // The very last token of the limit need not be fed: nothing will be asked of it.
    if (slot + 1 < layout_.codebooks || frames_ + 1 < settings_.max_frames) {
      const Element element{id, positions_.next(id)};
      feed({&element, 1});
    }
  }
  ++frames_;
  return std::span<const int32_t>(frame_);
}

}  // namespace kani
