// sequence.h - one clip as the id sequence that models are trained on, and back
// (training.md 5.2 step 6).  Both programs, kani-data and kani-train, go by it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kani/tokens/layout.h"

namespace kani {

/// SOH, `text` (BOS first), end of text, EOH, SOA, SOS, audio ids, EOS, EOA.  `codes` is
/// [frames, codebooks] and in range.
std::vector<int32_t> make_sequence(const TokenLayout& layout, std::span<const int32_t> text,
                                   std::span<const int32_t> codes);

struct SequenceParts {
  std::vector<int32_t> text;   // BOS first
  std::vector<int32_t> codes;  // [frames, codebooks], one frame at least
};

/// The way back; exactly what make_sequence() makes is accepted.  Throws Error(kBadInput) naming
/// index and id.
SequenceParts parse_sequence(const TokenLayout& layout, std::span<const int32_t> ids);

}  // namespace kani
