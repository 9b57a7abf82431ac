// sequence.cc - see sequence.h.
#include "kani/tokens/sequence.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani {

std::vector<int32_t> make_sequence(const TokenLayout& layout, std::span<const int32_t> text,
                                   std::span<const int32_t> codes) {
  std::vector<int32_t> ids;
  ids.reserve(text.size() + codes.size() + 7);
  ids.push_back(layout.start_of_human);
  ids.insert(ids.end(), text.begin(), text.end());
  ids.insert(ids.end(),
             {layout.end_of_text, layout.end_of_human, layout.start_of_ai, layout.start_of_speech});
  for (size_t i = 0; i < codes.size(); ++i) {
    const int codebook = static_cast<int>(i % static_cast<size_t>(layout.codebooks));
    ids.push_back(layout.audio_id(codebook, codes[i]));
  }
  ids.push_back(layout.end_of_speech);
  ids.push_back(layout.end_of_ai);
  return ids;
}

SequenceParts parse_sequence(const TokenLayout& layout, std::span<const int32_t> ids) {
  const auto expect = [&](size_t index, int32_t id, const char* name) {
    if (index >= ids.size())
      throw Error(ErrorCode::kBadInput, "ends after ", ids.size(), " ids, expected ", name, " (",
                  id, ")");
    if (ids[index] != id)
      throw Error(ErrorCode::kBadInput, "index ", index, " has the id ", ids[index], ", expected ",
                  name, " (", id, ")");
  };
  expect(0, layout.start_of_human, "start of human");
  expect(1, layout.start_of_text, "start of text");
  const auto close = std::find(ids.begin(), ids.end(), layout.end_of_human);
  const auto end = static_cast<size_t>(close - ids.begin());
  expect(end, layout.end_of_human, "end of human");
  if (end < 3) throw Error(ErrorCode::kBadInput, "end of human at index ", end, ", too early");
  expect(end - 1, layout.end_of_text, "end of text");
  expect(end + 1, layout.start_of_ai, "start of AI");
  expect(end + 2, layout.start_of_speech, "start of speech");
  const size_t first = end + 3, codebooks = static_cast<size_t>(layout.codebooks);
  if (ids.size() < first + codebooks + 2 || (ids.size() - first - 2) % codebooks != 0)
    throw Error(ErrorCode::kBadInput, ids.size() - std::min(ids.size(), first),
                " ids after start of speech, expected whole frames of ", codebooks, " and 2 more");
  expect(ids.size() - 2, layout.end_of_speech, "end of speech");
  expect(ids.size() - 1, layout.end_of_ai, "end of AI");

  SequenceParts parts;
  parts.text.assign(ids.begin() + 1, ids.begin() + static_cast<ptrdiff_t>(end) - 1);
  for (size_t i = 0; i < parts.text.size(); ++i) {
    if (!layout.is_text(parts.text[i]))
      throw Error(ErrorCode::kBadInput, "index ", i + 1, " has the id ", parts.text[i],
                  ", text has ids below ", layout.start_of_speech - 1);
  }
  for (size_t i = first; i < ids.size() - 2; ++i) {
    const auto codebook = static_cast<int>((i - first) % codebooks);
    const int64_t code = int64_t{ids[i]} - layout.audio_id(codebook, 0);
    if (code < 0 || code >= layout.codebook_size)
      throw Error(ErrorCode::kBadInput, "index ", i, " has the id ", ids[i],
                  ", which is no code of codebook ", codebook);
    parts.codes.push_back(static_cast<int32_t>(code));
  }
  return parts;
}

}  // namespace kani
