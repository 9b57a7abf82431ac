// weight_writer.h - layers of a file packed one behind the other into an accelerator's memory: for
// the weights of decoder and encoder.  Not here: which layers there are (spec/nanocodec.h).
#pragma once

#include <cstddef>
#include <vector>

#include "kani/backend/signal_ops.h"
#include "kani/codec/carver.h"
#include "kani/spec/nanocodec.h"

namespace kani {

/// Walks the layers in the order of computation.  Without memory it only adds up sizes; with it, it
/// reads the file, folds weight normalization and packs.  One walk for both, made twice, so that
/// they cannot disagree.
/// Throws Error(kBadInput) as fold_weight_norm() and read_alpha(); the file must have passed
/// nanocodec_check().
class WeightWriter {
 public:
  WeightWriter(SignalOps& ops, const TensorFile& file) : ops_(ops), file_(file) {}

  /// From now on layers are read and written to `memory`, which has used() floats.
  void use(SignalMemory& memory);
  size_t used() const { return carver_.used(); }

  /// Pointers of what is returned lie in the memory; null without it.
  CausalConv conv(const NanoCodecConv& layer, SignalType type = SignalType::kF32);
  /// The same, split if that pays with the columns of a frame: for who knows which column of its
  /// signal comes first.
  CausalConv conv_or_split(const NanoCodecConv& layer, SignalType type, size_t columns);
  /// A convolution of 2r taps and stride r as one of two taps over the r phases of its input, as
  /// SignalOps::split_phases() makes them: weight [o, i, q * r + s] becomes [o, i * r + s, q].
  CausalConv strided_conv(const NanoCodecConv& layer);
  Upsampler upsampler(const NanoCodecConv& layer);
  HalfSnake activation(const NanoCodecAlpha& slopes, size_t channels,
                       SignalType type = SignalType::kF32);

 private:
  CausalConv pack(const ConvShape& shape, const NanoCodecConv& layer, size_t rate);
  void put(const std::vector<float>& values, float* to);

  SignalOps& ops_;
  const TensorFile& file_;
  Carver carver_{nullptr};
};

}  // namespace kani
