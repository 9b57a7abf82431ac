// wavlm.h - the network of the speaker encoder: samples to one vector of 2 * hidden numbers and,
// through the head, to the embedding.  Reads like speaker.md 4 to 8.
// Legend: T frames, C channels of the extractor, H hidden size, E embedding size.
// Not here: resampling, levels, what is refused (reference.h), files (speaker_encoder.h).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kani/backend/encoder_ops.h"
#include "kani/base/cancel.h"
#include "kani/formats/tensor_file.h"
#include "kani/spec/speaker.h"

namespace kani {

/// Called with every intermediate in host memory.  Names as in the goldens: "conv0_raw", "conv0" …,
/// "feat_ln", "feat_proj", "pos_conv", "enc_in", "layer0.ln1", ".gate" [head, query],
/// ".attn_out", ".after_attn", ".out", "final", "pool_mean", "pool_std", "top1", "top2".
using SpeakerObserver = std::function<void(std::string_view name, ConstMatrix values)>;

/// Bucket of the distance key - query in the table of position biases (speaker.md 7).
int position_bucket(int distance, int buckets, int max_distance);

/// Frames that `samples` samples give; 0 if they are too few.
size_t speaker_frames(const SpeakerConfig& config, size_t samples);

/// Immutable after construction but for its workspace: one thread at a time.  The matrices of the
/// transformer stay in the mapped file, are read from there once per call, and given back to the
/// system layer by layer; only the convolutions' are kept (50 MB at the real size).
class WavLm {
 public:
  /// `file` must have passed speaker_check(); it and `ops` must outlive the network.
  WavLm(const SpeakerConfig& config, const TensorFile& file, EncoderOps& ops,
        ProductPrecision precision);
  ~WavLm();

  /// The embedding of normalized samples (zero mean, unit deviation) at 16 kHz, [E].  They must
  /// give at least 2 frames (asserted).  Throws Error(kCancelled, kOutOfMemory).
  std::vector<float> embed(std::span<const float> samples, const CancelToken* cancel = nullptr,
                           const SpeakerObserver& observer = {});

 private:
  struct Norm {
    std::vector<float> weight, bias;
  };
  struct Affine {
    const TensorInfo* weight = nullptr;
    std::vector<float> bias;
  };
  struct Convolution {
    std::unique_ptr<PackedMatrix> weight;
    Norm norm;
  };
  struct Layer {
    Norm norm1, norm2;
    Affine q, k, v, out, up, down;
    std::vector<float> gate_a, gate_b, gate_c;
    float bias_a = 0, bias_b = 0;
  };
  /// y = W x + b, ReLU, then (z - mean) * scale.
  struct HeadLayer {
    std::vector<float> weight, bias, mean;
    std::vector<double> scale;
  };
  struct Workspace;

  std::vector<float> numbers(const std::string& name) const;
  Norm norm(const std::string& name) const;
  Affine affine(const std::string& name) const;
  void load_convolutions();
  void load_positions();
  void load_layer(int index);
  HeadLayer load_head(int index, size_t inputs, size_t outputs) const;

  void product(ConstMatrix x, const Affine& w, ProductEnd end, Matrix y);
  void extract(std::span<const float> samples, size_t tile_frames, Matrix features);
  void add_positions(Matrix x);
  void run_layer(size_t index, Matrix x, ConstMatrix bias);
  void attend(const Layer& w, size_t index, Matrix x, ConstMatrix bias);
  std::vector<double> pool(ConstMatrix x) const;
  std::vector<double> run_head(const HeadLayer& w, std::span<const double> x,
                               std::string_view name) const;
  std::vector<float> distance_biases(size_t frames) const;
  void show(ConstMatrix values, std::string_view name) const;
  void show_host(std::span<const double> values, std::string_view name) const;

  SpeakerConfig config_;
  const TensorFile& file_;
  EncoderOps& ops_;
  ProductPrecision precision_;
  float eps_;  // of the transformer's norms

  std::vector<Convolution> convolutions_;
  Norm feature_norm_;
  Affine projection_;
  std::vector<std::unique_ptr<PackedMatrix>> position_weights_;  // one a group
  std::vector<float> position_bias_;
  std::vector<float> distance_bias_;  // [buckets, heads]
  std::vector<Layer> layers_;
  Norm final_norm_;
  HeadLayer head1_, head2_;

  std::unique_ptr<Workspace> work_;
  const SpeakerObserver* observer_ = nullptr;
};

}  // namespace kani
