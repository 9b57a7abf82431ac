// analysis.h - the throw-away network of the first stage: from log-mels to what is quantized.  It
// hears both sides of a frame and learns in minutes what a codec's frames should say; the real
// encoder is then taught to say the same from the waveform (stage encoder).
// Also the way back: log-mels from the decoder's first stage.
// Source: our own (a mel auto-encoder around the codec's quantizer).
#pragma once

#include "kani/spec/nanocodec.h"
#include "kani/train/codec/spectrum.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

struct AnalysisSize {
  int64_t bands = 80;
  int64_t width = 192;  // at the mel rate, twice that at the frame rate
  int64_t blocks = 2;   // residual blocks at each of the two rates
};

/// Log-mels as frequent as the decoder's first stage is: every samples_per_frame / r0 samples,
/// windows of 1024 samples at 22,050 Hz and of as many milliseconds at others, up to 8 kHz.
LogMel analysis_mel(const NanoCodecConfig& config, int64_t bands, at::Device device);

/// Frames on both sides that a frame's latent depends on, and some more.
inline constexpr int64_t kAnalysisContext = 12;

/// What an analysis network of a file is like, from its shapes.
AnalysisSize size_of(const ParameterMap& parameters);

/// Parameters under "analysis." and "mel_head.".  One thread at a time.
class AnalysisNetwork {
 public:
  /// The parameters stay the caller's.
  AnalysisNetwork(const NanoCodecConfig& config, AnalysisSize size, const ParameterMap& parameters);
  /// mel [B, bands, T r0] -> latent [B, 4G, T].
  at::Tensor latent(const at::Tensor& mel) const;
  /// first [B, C0 / 2, T r0], the result of CodecModule::front() -> mel [B, bands, T r0].
  at::Tensor mel(const at::Tensor& first) const;

 private:
  at::Tensor norm(const at::Tensor& x, const std::string& name) const;
  at::Tensor conv(const at::Tensor& x, const std::string& name, int64_t padding,
                  int64_t stride = 1) const;
  at::Tensor blocks(at::Tensor x, const std::string& prefix, int64_t kernel) const;

  int64_t rate_;
  AnalysisSize size_;
  const ParameterMap* parameters_;
};

/// Parameters that have learnt nothing.
ParameterMap random_analysis(const NanoCodecConfig& config, const AnalysisSize& size,
                             uint64_t seed);

}  // namespace kani::train
