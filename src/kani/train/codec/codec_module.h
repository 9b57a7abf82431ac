// codec_module.h - the codec for training: encoder, quantizer and decoder over parameters that have
// the file's names.  The runtime (codec/) writes the network a second time on purpose; both are
// held to the list of spec/nanocodec.h and to the same goldens. Not here: files (codec_files.h),
// losses (losses.h), who trains what (codec_trainer.h).
#pragma once

#include <string_view>
#include <vector>

#include "kani/spec/nanocodec.h"
#include "kani/train/codec/fsq.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// kFast: the loops of narrow_conv.h where widths and device allow; kPlain: LibTorch's operations.
enum class CodecKernels { kPlain, kFast };

/// Sound is [B, N] with N a multiple of samples_per_frame; T = N / samples_per_frame frames.
/// One thread at a time.
class CodecModule {
 public:
  /// `parameters` hold weight_g, weight_v, bias and alpha of every layer of the decoder, and of the
  /// encoder if the codec has one; others may be among them.  They stay the caller's: what it
  /// changes is seen here.  Throws Error(kInvalidArgument) for one that is missing or misshaped.
  CodecModule(NanoCodecConfig config, const ParameterMap& parameters, at::Device device = at::kCPU,
              CodecKernels kernels = CodecKernels::kFast);

  const NanoCodecConfig& config() const { return config_; }
  const Fsq& fsq() const { return fsq_; }

  /// sound -> what is quantized, [B, 4G, T].
  at::Tensor encode(const at::Tensor& sound) const;
  /// Frames left and right of a frame that its latent depends on.
  int64_t encoder_context() const;

  /// values [B, 4G, T] -> the first stage's result, [B, C0 / 2, T r0]: pre_conv, the first
  /// upsampling and its residual layer.
  at::Tensor front(const at::Tensor& values) const;
  /// The first stage's result -> sound before it is clamped.
  at::Tensor rest(const at::Tensor& first) const;
  /// values -> sound in [-1, 1].
  at::Tensor decode(const at::Tensor& values) const;

 private:
  const at::Tensor& parameter(std::string_view name) const;
  at::Tensor weight(const NanoCodecConv& conv) const;
  const at::Tensor& bias(const NanoCodecConv& conv) const;
  at::Tensor snake(const at::Tensor& x, const NanoCodecAlpha& alpha) const;
  at::Tensor causal(const at::Tensor& x, const NanoCodecConv& conv) const;
  at::Tensor symmetric(const at::Tensor& x, const NanoCodecConv& conv, int64_t stride = 1) const;
  at::Tensor stage(const at::Tensor& x, const NanoCodecStage& stage) const;
  at::Tensor stage(const at::Tensor& x, const NanoCodecEncoderStage& stage) const;
  // The same on [B, T, C].
  at::Tensor narrow_stage(const at::Tensor& x, const NanoCodecStage& stage) const;
  at::Tensor narrow_stage(const at::Tensor& x, const NanoCodecEncoderStage& stage) const;

  NanoCodecConfig config_;
  Fsq fsq_;
  NanoCodecDecoderLayers decoder_;
  NanoCodecEncoderLayers encoder_;
  const ParameterMap* parameters_;
  bool narrow_decoder_ = false, narrow_encoder_ = false;
};

/// Parameters for a codec that has learnt nothing: in the decoder uniform weights as PyTorch's
/// convolutions start with, in the encoder such that speech keeps its size through all layers;
/// gains that are the directions' lengths, slopes 1.  They follow from seed and name alone.
ParameterMap random_codec(const NanoCodecConfig& config, uint64_t seed);

/// A residual block more for each of `dilations`, behind those of every branch of every stage of
/// the decoder: `config` and `parameters` change.  The blocks say nothing until they have learnt,
/// so the sounds are as before.
void deepen_decoder(NanoCodecConfig& config, ParameterMap& parameters,
                    const std::vector<int>& dilations, uint64_t seed);

/// Whether rule muon (optimizer.h) updates the parameter: weights of convolutions that mix
/// channels, but for those that end in values, mels or sound.
bool is_codec_matrix(std::string_view name, const at::Tensor& parameter);

/// A tensor in [-bound, bound) that follows from seed and name.
at::Tensor uniform_parameter(std::string_view name, at::IntArrayRef shape, double bound,
                             uint64_t seed);

}  // namespace kani::train
