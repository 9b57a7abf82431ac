// nanocodec_encoder.h - the encoder's weights, ready for the kernels.  Source: codec.md 2.4, 6.
// Not here: the computation (streaming_encoder.h), names and shapes in the file (spec/nanocodec.h).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kani/backend/signal_ops.h"
#include "kani/codec/quantizer.h"
#include "kani/spec/nanocodec.h"

namespace kani {

/// One residual block: y + skip_conv(leaky(input_conv(leaky(y)))).
struct EncoderBlock {
  CausalConv input_conv;
  CausalConv skip_conv;
};
using EncoderBranch = std::vector<EncoderBlock>;

/// The mean of the branches, activation, downsampling.
struct EncoderStage {
  std::vector<EncoderBranch> branches;
  HalfSnake activation;  // the one of all its layers: leaky ReLU, no snakes
  CausalConv down;       // over the `rate` phases of its input (weight_writer.h)
  size_t rate = 0;
};

/// Immutable after construction; any number of StreamingEncoders may share it, one thread at a time
/// per SignalOps.  The convolutions are symmetric: CausalConv says what is summed, the stream which
/// columns stand left and right of it.
class NanoCodecEncoder {
 public:
  /// Checks `file` against the configuration, decoder included; multiplies weight normalization out
  /// and packs.  `ops` must outlive the encoder; `file` is not needed afterwards.
  /// Throws Error(kBadInput) as nanocodec_check() and fold_weight_norm(), also where the codec has
  /// no encoder; Error(kOutOfMemory).
  NanoCodecEncoder(const NanoCodecConfig& config, const TensorFile& file, SignalOps& ops);

  const NanoCodecConfig& config() const { return config_; }
  const FiniteScalarQuantizer& quantizer() const { return quantizer_; }
  size_t samples_per_frame() const { return static_cast<size_t>(config_.samples_per_frame); }
  size_t codebooks() const { return static_cast<size_t>(config_.codebooks); }
  size_t latent_width() const { return static_cast<size_t>(config_.latent_width()); }
  size_t weight_bytes() const { return memory_->size() * sizeof(float); }

  const CausalConv& pre_conv() const { return pre_conv_; }
  const std::vector<EncoderStage>& stages() const { return stages_; }
  const HalfSnake& post_activation() const { return post_activation_; }
  const CausalConv& post_conv() const { return post_conv_; }
  SignalOps& ops() const { return *ops_; }

 private:
  NanoCodecConfig config_;
  FiniteScalarQuantizer quantizer_;
  SignalOps* ops_;
  std::unique_ptr<SignalMemory> memory_;  // everything that the pointers below point to
  CausalConv pre_conv_;
  std::vector<EncoderStage> stages_;
  HalfSnake post_activation_;
  CausalConv post_conv_;
};

}  // namespace kani
