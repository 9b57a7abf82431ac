// fsq.h - the finite scalar quantizer with a gradient: rounding passes it straight through.
// Source: codec.md 3.1; Mentzer et al. 2023.  The runtime's is codec/quantizer.h; both are held
// against the same goldens.
#pragma once

#include "kani/spec/nanocodec.h"
#include "kani/train/torch.h"

namespace kani::train {

/// Channels D = 4 per group, G groups.  Immutable.
class Fsq {
 public:
  explicit Fsq(const NanoCodecConfig& config, at::Device device = at::kCPU);

  struct Result {
    at::Tensor values;      // [B, D G, T] in [-1, 1]: what the decoder reads
    at::Tensor compressed;  // [B, D G, T] before rounding, in steps of a level
    at::Tensor digits;      // [B, D G, T] float, 0 … level - 1, without gradient
  };
  /// latent [B, D G, T], of any size but NaN.
  Result quantize(const at::Tensor& latent) const;

  /// digits [B, D G, T] -> codes [B, G, T] int64, and codes -> values [B, D G, T].
  at::Tensor codes(const at::Tensor& digits) const;
  at::Tensor values(const at::Tensor& codes) const;

  /// Half the number of levels of each channel, [1, D G, 1].
  const at::Tensor& half() const { return half_; }
  /// Bits per codebook if digits were drawn independently as often as they occur in `digits`.
  std::vector<double> entropy_bits(const at::Tensor& digits) const;

 private:
  int64_t groups_;
  std::vector<int64_t> levels_;
  at::Tensor scale_, offset_, shift_, half_;  // [1, D G, 1]
  at::Tensor base_, level_;                   // [1, 1, D, 1] int64
};

}  // namespace kani::train
