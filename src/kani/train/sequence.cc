// sequence.cc - see sequence.h.
#include "kani/train/sequence.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/tokens/sequence.h"

namespace kani::train {

std::vector<int32_t> clip_ids(const TokenLayout& layout, const TrainingClip& clip,
                              const SequenceRules& rules) {
  const auto codebooks = static_cast<size_t>(layout.codebooks);
  if (clip.codes.empty() || clip.codes.size() % codebooks != 0) {
    throw Error(ErrorCode::kBadInput, "a clip of ", clip.codes.size(),
                " codes, must be whole frames of ", codebooks);
  }
  for (const int32_t id : clip.text) {
    if (!layout.is_text(id))
      throw Error(ErrorCode::kBadInput, "text id ", id, " is no text, whose ids lie below ",
                  layout.start_of_speech - 1);
  }
  std::vector<int32_t> codes;
  codes.reserve(clip.codes.size());
  for (size_t i = 0; i < clip.codes.size(); i += codebooks) {
    const auto frame = clip.codes.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = frame + layout.codebooks;
    if (rules.drop_repeated_frames && i > 0 && std::equal(frame, end, frame - layout.codebooks))
      continue;
    for (auto code = frame; code != end; ++code) {
      if (*code < 0 || *code >= layout.codebook_size)
        throw Error(ErrorCode::kBadInput, "code ", *code, " is outside 0 to ",
                    layout.codebook_size - 1);
    }
    codes.insert(codes.end(), frame, end);
  }
  return make_sequence(layout, clip.text, codes);
}

TrainingClip clip_of_ids(const TokenLayout& layout, std::span<const int32_t> ids) {
  SequenceParts parts = parse_sequence(layout, ids);
  TrainingClip clip;
  clip.text = std::move(parts.text);
  clip.codes = std::move(parts.codes);
  clip.encoded_len = static_cast<int64_t>(clip.codes.size()) / layout.codebooks;
  return clip;
}

namespace {

// `first`: the element at which ids begin; `slot`: 1 if the voice is behind the first of them.
Speech speech_of(const TokenLayout& layout, std::span<const int32_t> ids, int64_t first,
                 int64_t slot) {
  const auto place = [&](int32_t id) {
    const auto found = std::find(ids.begin(), ids.end(), id);
    return first + slot + (found - ids.begin());
  };
  Speech out{.start = first};
  out.text_begin = first + slot + (ids.size() > 1 && ids[1] == layout.start_of_text ? 2 : 1);
  out.text_end = std::max(out.text_begin, place(layout.end_of_human) - 1);
  out.begin = place(layout.start_of_speech);
  out.end = std::max(out.begin, place(layout.end_of_speech));
  return out;
}

}  // namespace

void PackedBatch::add(const TokenLayout& layout, const SequenceRules& rules,
                      std::span<const int32_t> clip_ids, std::span<const float> voice,
                      int64_t row) {
  const bool has_voice = !voice.empty();
  speech.push_back(speech_of(layout, clip_ids, elements(), has_voice ? 1 : 0));
  const std::vector<double> places =
      sequence_positions(layout, rules.audio_step, clip_ids, has_voice);
  const auto first = static_cast<int64_t>(targets.size());
  for (size_t i = 0; i < clip_ids.size(); ++i) {
    if (i == 1 && has_voice) {
      voice_slots.push_back(elements());
      voices.insert(voices.end(), voice.begin(), voice.end());
      ids.push_back(0);
      targets.push_back(clip_ids[1]);
    }
    ids.push_back(clip_ids[i]);
    const bool last = i + 1 == clip_ids.size(), next_is_slot = i == 0 && has_voice;
    targets.push_back(last || next_is_slot ? kNoTarget : clip_ids[i + 1]);
  }
  if (!rules.loss_on_text)
    std::fill(targets.begin() + first, targets.begin() + speech.back().begin, kNoTarget);
  for (const double place : places) positions.push_back(static_cast<float>(place));
  starts.push_back(elements());
  rows.push_back(row);
  labels += static_cast<int64_t>(clip_ids.size());
  target_count += std::count_if(targets.begin() + first, targets.end(),
                                [](int64_t target) { return target != kNoTarget; });
}

}  // namespace kani::train
