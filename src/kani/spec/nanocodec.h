// nanocodec.h - what the codec is: its configuration and its list of tensors.  No arithmetic.
// Source: codec.md 1, 2.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

/// Numbers of one side (decoder or encoder).
struct NanoCodecSide {
  bool present = false;
  std::vector<int> rates;  // up- or downsampling rates in order
  int base_channels = 0;   // decoder: width before the first stage; encoder: width after pre_conv
  int in_kernel = 7;
  int out_kernel = 3;  // encoder: 7
  std::vector<int> resblock_kernels{3, 7, 11};
  std::vector<int> resblock_dilations{1, 3, 5};
};

struct NanoCodecConfig {
  int sample_rate_hz = 0;
  int samples_per_frame = 0;  // product of the decoder's rates
  int codebooks = 0;          // G
  std::vector<int> levels;    // per group, 4 of them
  float fsq_eps = 1e-3F;
  NanoCodecSide decoder;
  NanoCodecSide encoder;

  int latent_width() const { return codebooks * static_cast<int>(levels.size()); }
  int codebook_size() const {
    int size = 1;
    for (const int level : levels) size *= level;
    return size;
  }
};

/// Parses and validates model_config.yaml (codec.md 2.2; reliability.md 6 YAML list).  Throws
/// Error(kBadInput, kUnsupported) naming key, value and rule.
NanoCodecConfig parse_nanocodec_config(std::string_view yaml, std::string_view source);

/// The YAML that NeMo's class would read back, for writing models.
std::string nanocodec_config_yaml(const NanoCodecConfig& config);

/// A convolution of the model with everything that the loader needs to know; names without
/// ".weight_v" and the like.
struct NanoCodecConv {
  // e.g. "audio_decoder.res_layers.0.res_blocks.1.res_blocks.2.skip_conv.conv"
  std::string name;
  std::array<uint64_t, 3> shape{};  // of the direction v; the gain is [shape[0], 1, 1]
  uint64_t bias = 0;                // number of biases
  int dilation = 1;
};
/// A vector of snake slopes; stored as [1, channels, 1].
struct NanoCodecAlpha {
  std::string name;
  uint64_t channels = 0;
};

/// The decoder's parts in the order of the computation (codec.md 4).
struct NanoCodecBlock {
  NanoCodecAlpha input_activation;
  NanoCodecConv input_conv;
  NanoCodecAlpha skip_activation;
  NanoCodecConv skip_conv;
};
struct NanoCodecStage {
  NanoCodecAlpha activation;
  NanoCodecConv up;
  std::vector<std::vector<NanoCodecBlock>> branches;  // [kernel][dilation]
};
struct NanoCodecDecoderLayers {
  NanoCodecConv pre_conv;
  std::vector<NanoCodecStage> stages;
  NanoCodecAlpha post_activation;
  NanoCodecConv post_conv;
};
NanoCodecDecoderLayers nanocodec_decoder_layers(const NanoCodecConfig& config);

/// The encoder's parts in the order of the computation (codec.md 6): convolutions alone, as its
/// activations have no weights.
struct NanoCodecEncoderBlock {
  NanoCodecConv input_conv;
  NanoCodecConv skip_conv;
};
struct NanoCodecEncoderStage {
  std::vector<std::vector<NanoCodecEncoderBlock>> branches;  // [kernel][dilation]
  NanoCodecConv down;                                        // of stride shape[2] / 2
};
struct NanoCodecEncoderLayers {
  NanoCodecConv pre_conv;
  std::vector<NanoCodecEncoderStage> stages;
  NanoCodecConv post_conv;
};
NanoCodecEncoderLayers nanocodec_encoder_layers(const NanoCodecConfig& config);

/// The same as flat lists, in the order of a file.
struct NanoCodecTensors {
  std::vector<NanoCodecConv> convs;
  std::vector<NanoCodecAlpha> alphas;
};
NanoCodecTensors nanocodec_decoder_tensors(const NanoCodecConfig& config);
NanoCodecTensors nanocodec_encoder_tensors(const NanoCodecConfig& config);

/// The tensors that decoding (and encoding, if wanted) needs; for open_nemo's `wanted`.
bool nanocodec_wants(std::string_view tensor_name, bool encoder);

/// Checks a file against the lists: all three spellings of weight normalisation, the integer
/// buffers of the quantiser where the file has them, missing, additional and misshaped tensors in
/// one message.  Throws Error(kBadInput).
void nanocodec_check(const NanoCodecConfig& config, const TensorFile& file, bool with_encoder);

/// The convolution's weight with weight normalisation multiplied out (squares summed in double),
/// row-major as `shape`, and its bias.  Throws Error(kBadInput) for NaN, infinity or a direction of
/// zeros.  The file must have passed nanocodec_check().
struct FoldedConv {
  std::vector<float> weight;
  std::vector<float> bias;
};
FoldedConv fold_weight_norm(const NanoCodecConv& conv, const TensorFile& file);

/// The slopes.  Throws Error(kBadInput) for NaN or infinity.
std::vector<float> read_alpha(const NanoCodecAlpha& alpha, const TensorFile& file);

}  // namespace kani
