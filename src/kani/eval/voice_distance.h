// voice_distance.h - how far two recordings are from one voice, without any trained model: the
// spread of their cepstra.  An independent second opinion beside the model's own speaker encoder.
// Source: symmetric Kullback-Leibler distance of Gaussians, H. Gish, M. Schmidt,
// "Text-independent speaker identification", 1994.  Hears the microphone as well as the speaker.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "kani/eval/mel_cepstrum.h"

namespace kani {

/// Mean and variance of each cepstrum over the frames of speech.
struct VoiceSpread {
  std::array<double, kCepstra> mean{}, variance{};
  size_t frames = 0;
};

/// Nothing if fewer than 30 frames (0.3 s) are speech.
std::optional<VoiceSpread> voice_spread(std::span<const CepstrumFrame> frames);

/// Mean over the cepstra of the symmetric divergence of two Gaussians, in nats:
/// (va/vb + vb/va - 2 + (ma - mb)² (1/va + 1/vb)) / 4.  0 for the same spread; recordings of one
/// speaker with other words are some hundredths to tenths apart.
double voice_distance(const VoiceSpread& a, const VoiceSpread& b);

}  // namespace kani
