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

std::vector<Element> prompt_elements(std::span<const int32_t> prompt, bool voice,
                                     FramePositions& positions) {
  std::vector<Element> elements;
  for (const int32_t id : prompt) {
    const bool first = elements.empty();
    elements.push_back({id, positions.next(id)});
    if (first && voice) elements.push_back({kVoiceSlot, positions.next_voice()});
  }
  return elements;
}

FrameGenerator::FrameGenerator(Lfm2& model, std::span<const int32_t> prompt,
                               std::span<const float> voice, const GenerationSettings& settings)
    : alone_(model),
      layout_(TokenLayout::of(model.config())),
      settings_(settings),
      sampler_(settings.sampling, settings.seed),
      positions_(layout_, model.config().audio_step),
      sequence_(model, elements_needed(prompt, voice, settings, layout_.codebooks), voice),
      hidden_(static_cast<size_t>(model.config().hidden_size)),
      seen_(static_cast<size_t>(layout_.codebooks)),
      is_seen_(static_cast<size_t>(layout_.codebooks),
               std::vector<bool>(static_cast<size_t>(layout_.codebook_size))),
      frame_(static_cast<size_t>(layout_.codebooks)) {
  require(!prompt.empty(), "an empty prompt");
  for (const int32_t id : prompt) remember(id);
  const std::vector<Element> elements = prompt_elements(prompt, !voice.empty(), positions_);
  const SequenceStep step{&sequence_, elements};
  const ConstMatrix hidden = model.forward({&step, 1});
  std::copy_n(hidden.data(), hidden_.size(), hidden_.begin());
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

// False if there will be no further frame.
bool FrameGenerator::begin_frame() {
  if (ended_) return false;
  if (frames_ == settings_.max_frames) ended_ = limit_reached_ = true;
  return !ended_;
}

// Takes a code for `slot`; false if speech ends.  The last column of slot 0 is END_OF_SPEECH.
bool FrameGenerator::choose(int slot, std::span<const float> logits) {
  const auto s = static_cast<size_t>(slot);
  const bool end_forbidden = slot == 0 && frames_ == 0 && settings_.forbid_empty;
  const int32_t code =
      sampler_.pick(logits.first(logits.size() - (end_forbidden ? 1 : 0)), seen_[s]);
  if (code == layout_.codebook_size) {
    ended_ = true;
    return false;
  }
  frame_[s] = code;
  remember(layout_.audio_id(slot, code));
  ++tokens_;
  if (slot + 1 == layout_.codebooks) ++frames_;
  return true;
}

// The very last token of the limit need not be fed: nothing will be asked of it.
bool FrameGenerator::needs(int slot) const {
  return slot + 1 < layout_.codebooks || frames_ < settings_.max_frames;
}

std::optional<std::span<const int32_t>> FrameGenerator::frame() const {
  if (ended_ || frames_ == 0) return std::nullopt;
  return std::span<const int32_t>(frame_);
}

std::optional<std::span<const int32_t>> FrameGenerator::next() {
  FrameGenerator* const self = this;
  alone_.advance({&self, 1});
  return frame();
}

void GenerationBatch::advance(std::span<FrameGenerator* const> utterances) {
  active_.clear();
  for (FrameGenerator* utterance : utterances) {
    if (utterance->begin_frame()) active_.push_back(utterance);
  }
  for (int slot = 0; slot < model_.config().tokens_per_frame && !active_.empty(); ++slot) {
    choose(slot);
    feed(slot);
  }
}

// Those whose speech ends leave.
void GenerationBatch::choose(int slot) {
  const auto width = static_cast<size_t>(model_.config().hidden_size);
  const size_t columns = model_.codebook_columns(slot), count = active_.size();
  hidden_.resize(count * width);
  logits_.resize(count * columns);
  for (size_t i = 0; i < count; ++i)
    std::copy_n(active_[i]->hidden_.data(), width, hidden_.data() + i * width);
  model_.codebook_logits({hidden_.data(), count, width}, slot, {logits_.data(), count, columns});
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if (active_[i]->choose(slot, {logits_.data() + i * columns, columns}))
      active_[kept++] = active_[i];
  }
  active_.resize(kept);
}

void GenerationBatch::feed(int slot) {
  elements_.clear();
  steps_.clear();
  fed_.clear();
  elements_.reserve(active_.size());  // steps keep views of its elements
  for (FrameGenerator* utterance : active_) {
    if (!utterance->needs(slot)) continue;
    const int32_t id =
        utterance->layout_.audio_id(slot, utterance->frame_[static_cast<size_t>(slot)]);
    elements_.push_back({id, utterance->positions_.next(id)});
    steps_.push_back({&utterance->sequence_, {&elements_.back(), 1}});
    fed_.push_back(utterance);
  }
  if (steps_.empty()) return;
  const ConstMatrix hidden = model_.forward(steps_);
  for (size_t i = 0; i < fed_.size(); ++i)
    std::copy_n(hidden.row(i), hidden.cols(), fed_[i]->hidden_.begin());
}

}  // namespace kani
