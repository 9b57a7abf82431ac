// nanocodec_decoder.h - the decoder's weights, ready for the kernels.  Source: codec.md 2.4, 4.
// Not here: the computation (streaming_decoder.h), names and shapes in the file (spec/nanocodec.h).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kani/backend/signal_ops.h"
#include "kani/codec/quantizer.h"
#include "kani/spec/nanocodec.h"

namespace kani {

/// One residual block: y + skip_conv(skip_activation(input_conv(input_activation(y)))).
struct DecoderBlock {
  HalfSnake input_activation;
  CausalConv input_conv;
  HalfSnake skip_activation;
  CausalConv skip_conv;
};
using DecoderBranch = std::vector<DecoderBlock>;

/// Activation, upsampling, then the mean of the branches.
struct DecoderStage {
  HalfSnake activation;
  Upsampler up;
  std::vector<DecoderBranch> branches;
};

/// Immutable after construction; any number of StreamingDecoders may share it, one thread at a time
/// per SignalOps.
class NanoCodecDecoder {
 public:
  /// Checks `file` against the configuration, multiplies weight normalisation out and packs.
  /// `ops` must outlive the decoder; `file` is not needed afterwards.  The residual convolutions,
  /// 99.9 % of the arithmetic, compute in `precision` if `ops` is fast at it, otherwise in float32.
  /// Throws Error(kBadInput) as nanocodec_check() and fold_weight_norm(); Error(kOutOfMemory).
  NanoCodecDecoder(const NanoCodecConfig& config, const TensorFile& file, SignalOps& ops,
                   SignalType precision = SignalType::kF32);

  const NanoCodecConfig& config() const { return config_; }
  const FiniteScalarQuantizer& quantizer() const { return quantizer_; }
  size_t samples_per_frame() const { return static_cast<size_t>(config_.samples_per_frame); }
  size_t codebooks() const { return static_cast<size_t>(config_.codebooks); }
  /// What the residual convolutions compute in.
  SignalType precision() const { return precision_; }
  size_t weight_bytes() const { return memory_->size() * sizeof(float); }

  const CausalConv& pre_conv() const { return pre_conv_; }
  const std::vector<DecoderStage>& stages() const { return stages_; }
  const HalfSnake& post_activation() const { return post_activation_; }
  const CausalConv& post_conv() const { return post_conv_; }
  SignalOps& ops() const { return *ops_; }

 private:
  NanoCodecConfig config_;
  FiniteScalarQuantizer quantizer_;
  SignalOps* ops_;
  SignalType precision_;
  std::unique_ptr<SignalMemory> memory_;  // everything that the pointers below point to
  CausalConv pre_conv_;
  std::vector<DecoderStage> stages_;
  HalfSnake post_activation_;
  CausalConv post_conv_;
};

}  // namespace kani
