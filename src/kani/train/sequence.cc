// sequence.cc - see sequence.h.
#include "kani/train/sequence.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani::train {

std::vector<int32_t> clip_ids(const TokenLayout& layout, const TrainingClip& clip,
                              const SequenceRules& rules) {
  const auto codebooks = static_cast<size_t>(layout.codebooks);
  if (clip.codes.empty() || clip.codes.size() % codebooks != 0) {
    throw Error(ErrorCode::kBadInput, "a clip of ", clip.codes.size(),
                " codes, must be whole frames of ", codebooks);
  }
  std::vector<int32_t> ids{layout.start_of_human};
  for (const int32_t id : clip.text) {
    if (id < 0 || id >= layout.start_of_speech)
      throw Error(ErrorCode::kBadInput, "text id ", id, " is outside 0 to ",
                  layout.start_of_speech - 1);
    ids.push_back(id);
  }
  ids.insert(ids.end(),
             {layout.end_of_text, layout.end_of_human, layout.start_of_ai, layout.start_of_speech});
  for (size_t i = 0; i < clip.codes.size(); i += codebooks) {
    const auto frame = clip.codes.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = frame + layout.codebooks;
    if (rules.drop_repeated_frames && i > 0 && std::equal(frame, end, frame - layout.codebooks))
      continue;
    for (int k = 0; k < layout.codebooks; ++k) {
      const int32_t code = frame[k];
      if (code < 0 || code >= layout.codebook_size)
        throw Error(ErrorCode::kBadInput, "code ", code, " is outside 0 to ",
                    layout.codebook_size - 1);
      ids.push_back(layout.audio_id(k, code));
    }
  }
  ids.push_back(layout.end_of_speech);
  ids.push_back(layout.end_of_ai);
  return ids;
}

TrainingClip clip_of_ids(const TokenLayout& layout, std::span<const int32_t> ids) {
  const auto refuse = [&](const auto&... why) { throw Error(ErrorCode::kBadInput, why...); };
  const auto codebooks = static_cast<size_t>(layout.codebooks);
  const auto sos = std::find(ids.begin(), ids.end(), layout.start_of_speech);
  const auto before = static_cast<size_t>(sos - ids.begin());
  if (sos == ids.end() || before < 4 || ids.front() != layout.start_of_human ||
      ids[before - 1] != layout.start_of_ai || ids[before - 2] != layout.end_of_human ||
      ids[before - 3] != layout.end_of_text)
    refuse("ids do not begin with a text in its control ids");
  const size_t tail = ids.size() - before - 1;
  if (tail < 2 || (tail - 2) % codebooks != 0 || ids[ids.size() - 2] != layout.end_of_speech ||
      ids.back() != layout.end_of_ai)
    refuse("ids do not end with whole frames and their control ids");
  TrainingClip clip;
  clip.text.assign(ids.begin() + 1, sos - 3);
  for (size_t i = 0; i < tail - 2; ++i) {
    const int32_t code = ids[before + 1 + i] - layout.audio_id(static_cast<int>(i % codebooks), 0);
    if (code < 0 || code >= layout.codebook_size)
      refuse("id ", ids[before + 1 + i], " is no code of codebook ", i % codebooks);
    clip.codes.push_back(code);
  }
  clip.encoded_len = static_cast<int64_t>((tail - 2) / codebooks);
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
  for (const double place : places) positions.push_back(static_cast<float>(place));
  starts.push_back(elements());
  rows.push_back(row);
  labels += static_cast<int64_t>(clip_ids.size());
  target_count += static_cast<int64_t>(clip_ids.size()) - 1;
}

}  // namespace kani::train
