// code_cache.h - the codes of recordings, made when they are first asked for and kept: two bytes a
// code.  They are those of the whole recording, not of a crop, so the decoder learns what it will
// be given.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kani/train/codec/codec_module.h"
#include "kani/train/codec/sound_set.h"

namespace kani::train {

/// sound [1, N] -> latent [1, 4G, N / S].
using LatentMaker = std::function<at::Tensor(const at::Tensor& sound)>;

struct CodeMaker {
  LatentMaker latent;
  int64_t context = 0;  // frames on both sides that a frame's latent depends on
};

/// One thread at a time; what it is made from must outlive it and stay as it is.
class CodeCache {
 public:
  /// Of several makers each has its share of the recordings, in turn.
  CodeCache(const SoundSet& sounds, const CodecModule& codec, std::vector<CodeMaker> makers,
            at::Device device);
  /// Codes of frames first … first + count - 1 of a recording, [G, count] int64; a recording that
  /// is shorter is heard as if zeros followed it.
  at::Tensor codes(size_t recording, int64_t first, int64_t count);

 private:
  std::vector<uint16_t> encode(size_t recording, int64_t frames) const;

  const SoundSet& sounds_;
  const CodecModule& codec_;
  std::vector<CodeMaker> makers_;
  at::Device device_;
  std::vector<std::vector<uint16_t>> kept_;  // by recording: [T, G]; empty: not made yet
};

}  // namespace kani::train
