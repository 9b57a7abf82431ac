// code_cache.cc - see code_cache.h.
#include "kani/train/codec/code_cache.h"

#include <algorithm>

namespace kani::train {
namespace {

constexpr int64_t kPiece = 64;  // frames encoded at a time: memory does not grow with a recording

}  // namespace

CodeCache::CodeCache(const SoundSet& sounds, const CodecModule& codec,
                     std::vector<CodeMaker> makers, at::Device device)
    : sounds_(sounds),
      codec_(codec),
      makers_(std::move(makers)),
      device_(device),
      kept_(sounds.size()) {}

std::vector<uint16_t> CodeCache::encode(size_t recording, int64_t frames) const {
  at::NoGradGuard no_grad;
  const int64_t hop = codec_.config().samples_per_frame;
  const CodeMaker& maker = makers_[recording % makers_.size()];
  std::vector<uint16_t> out;
  for (int64_t first = 0; first < frames; first += kPiece) {
    const int64_t end = std::min(frames, first + kPiece);
    // The true ends of a recording are also those of what the encoder sees.
    const int64_t from = std::max<int64_t>(0, first - maker.context),
                  to = std::min(frames, end + maker.context);
    const at::Tensor sound =
        sounds_.samples(recording, from * hop, (to - from) * hop).unsqueeze(0).to(device_);
    const at::Tensor digits = codec_.fsq().quantize(maker.latent(sound)).digits;
    const at::Tensor codes = codec_.fsq()
                                 .codes(digits)[0]
                                 .narrow(1, first - from, end - first)
                                 .t()
                                 .to(at::kCPU)
                                 .contiguous();
    const int64_t* values = codes.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < codes.numel(); ++i) out.push_back(static_cast<uint16_t>(values[i]));
  }
  return out;
}

at::Tensor CodeCache::codes(size_t recording, int64_t first, int64_t count) {
  const int64_t groups = codec_.config().codebooks;
  std::vector<uint16_t>& kept = kept_[recording];
  if (kept.empty()) kept = encode(recording, std::max(sounds_.frames(recording), first + count));
  at::Tensor out = at::empty({count, groups}, at::kLong);
  int64_t* values = out.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count * groups; ++i)
    values[i] = kept[static_cast<size_t>(first * groups + i)];
  return out.t();
}

}  // namespace kani::train
